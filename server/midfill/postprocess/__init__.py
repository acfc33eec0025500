"""Pure text filters between the model and the editor, one function each, each with a reason code.

A *stop* looks at the text while it streams out and says where it should end (:mod:`~midfill.postprocess.stops`); a
*trim* cuts what the document has already off its ends (:mod:`~midfill.postprocess.trims`); a *mend* makes it fit the
document (:mod:`~midfill.postprocess.mends`); a *drop* looks at the whole suggestion and says why it is not worth
showing (:mod:`~midfill.postprocess.drops`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from midfill.code.languages import language_of
from midfill.postprocess.drops import DROPS, reason_to_drop
from midfill.postprocess.lines import nearby
from midfill.postprocess.mends import indentation_of, keep_blank_lines, keep_indentation, merge_with_rest
from midfill.postprocess.place import place_of
from midfill.postprocess.stops import STOPS, Ending, find_stop
from midfill.postprocess.trims import TRIMS, trim_start
from midfill.prompt.context import Context

__all__ = [
    "DROPS", "STOPS", "TRIMS", "Ending", "Finished", "begin", "done_at_begin", "find_stop", "finish", "indentation_of",
    "nearby", "place_of",
]  # fmt: skip


@dataclass(frozen=True)
class Finished:
    """A suggestion as it may be shown, or the reason code why it is not."""

    text: str
    """What to insert; "" with a reason."""
    replaces: int = 0
    """How many characters of the line right of the cursor the text takes the place of."""
    reason: str = ""
    """The code of the drop that applied, "" to show the suggestion."""
    changes: tuple[tuple[str, int], ...] = ()
    """What each filter changed, in order: its code, and how many characters it added (below 0: cut)."""
    kept: int = 0
    """How many characters of the unfinished text the suggestion comes of, from its start on."""


def begin(text: str, context: Context, indentation: str) -> str:
    """Put what was written so far the way the document is written, whose ``indentation`` is known."""
    return trim_start(keep_indentation(text, context, indentation), context)


def changes_at_begin(text: str, context: Context, indentation: str) -> tuple[tuple[str, int], ...]:
    """Return what :func:`begin` changed, as :attr:`Finished.changes` tells it."""
    indented = keep_indentation(text, context, indentation)
    begun = trim_start(indented, context)
    steps = (("indentation", text, indented), ("start", indented, begun))
    return tuple((code, len(after) - len(before)) for code, before, after in steps if before != after)


def finish(
    text: str,
    context: Context,
    *,
    automatic: bool = False,
    language: str = "",
    path: str = "",
    placeholders: Collection[str] = (),
    unfiltered: bool = False,
    cut_short: bool = False,
) -> Finished:
    """Trim and mend a text that has come to its end, and judge whether to show it.

    Args:
        text: what :func:`begin` and :func:`find_stop` made of what the model wrote.
        context: the document round the cursor, as :func:`nearby` cuts it out.
        automatic: whether typing asks, not a person, who wants to see what there is.
        language: the LSP language id; "" when unknown.
        path: the document's path or URI, for its language.
        placeholders: what stands for secrets in the prompt.
        unfiltered: whether to show whatever is not blank.
        cut_short: whether the text ended at a limit, perhaps within a word.
    """
    grammar = language_of(path, language)
    changes: list[tuple[str, int]] = []
    for code, trim in TRIMS.items():
        trimmed = trim(text, context)
        if trimmed != text:
            changes.append((code, len(trimmed) - len(text)))
        text = trimmed
    kept, replaces = len(text), 0
    if text.strip() and not unfiltered:
        mended = keep_blank_lines(text, context)
        if mended != text:
            changes.append(("blank-lines", len(mended) - len(text)))
        text = mended
        if not (cut_short or "suffix-overlap" in dict(changes)):  # then it fits before all of the rest
            text, replaces = merge_with_rest(mended, context, grammar)
        if any(placeholder in context.line_suffix[:replaces] for placeholder in placeholders):
            text, replaces = mended, 0  # the document has something else there, of another length
        if text != mended or replaces:
            changes.append(("merge", len(text) - len(mended) - replaces))
    reason = reason_to_drop(
        text,
        context,
        grammar,
        automatic=automatic,
        placeholders=placeholders,
        replaces=replaces,
        cut_short=cut_short,
    )
    if reason and not (unfiltered and reason != "blank"):
        return Finished("", reason=reason, changes=(*changes, (reason, -len(text))))
    return Finished(text, replaces, changes=tuple(changes), kept=kept)
