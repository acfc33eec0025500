"""Pure text filters between the model and the editor, one function each, each with a reason code.

A *stop* looks at the text while it streams out and says where it should end (:mod:`~midfill.filters.stops`); a *trim*
cuts what the document has already off its ends (:mod:`~midfill.filters.trims`); a *drop* looks at the whole suggestion
and says why it is not worth showing (:mod:`~midfill.filters.drops`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from midfill.context import Context
from midfill.filters.drops import DROPS, reason_to_drop
from midfill.filters.lines import nearby
from midfill.filters.stops import STOPS, Ending, find_stop
from midfill.filters.trims import trim, trim_start

__all__ = ["DROPS", "STOPS", "Ending", "Finished", "find_stop", "finish", "nearby", "reason_to_drop", "trim_start"]


@dataclass(frozen=True)
class Finished:
    """A suggestion as it may be shown, or the reason code why it is not."""

    text: str
    """What to insert; "" with a reason."""
    replaces: int = 0
    """How many characters of the line right of the cursor the text takes the place of."""
    reason: str = ""
    """The code of the drop that applied, "" to show the suggestion."""
    did: tuple[tuple[str, int], ...] = ()
    """What each filter changed, in order: its code, and how many characters it added (below 0: cut)."""
    kept: int = 0
    """How many characters of the unfinished text the suggestion comes of, from its start on."""


def finish(
    text: str,
    context: Context,
    *,
    automatic: bool = False,  # noqa: ARG001
    language: str = "",  # noqa: ARG001
    path: str = "",  # noqa: ARG001
    placeholders: Collection[str] = (),  # noqa: ARG001
    unfiltered: bool = False,
) -> Finished:
    """Trim and mend a text that has come to its end, and judge whether to show it.

    Args:
        text: what :func:`~midfill.filters.trims.trim_start` and :func:`find_stop` left of what the model wrote.
        context: the document round the cursor, as :func:`nearby` cuts it out.
        automatic: whether typing asks, not a person, who wants to see what there is.
        language: the LSP language id; "" when unknown.
        path: the document's path or URI, for its language.
        placeholders: what stands for secrets in the prompt.
        unfiltered: whether to show whatever is not blank.
    """
    trimmed = trim(text, context)
    did = (("trim", len(trimmed) - len(text)),) if trimmed != text else ()
    reason = reason_to_drop(trimmed, context)
    if reason and not (unfiltered and reason != "blank"):
        return Finished("", reason=reason, did=(*did, (reason, -len(trimmed))))
    return Finished(trimmed, did=did, kept=len(trimmed))
