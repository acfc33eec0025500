"""Applies the filters in order: while a text is generated, and once it has ended."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from midfill.code.languages import PLAIN_TEXT, Language, language_of
from midfill.postprocess.drops import reason_to_drop
from midfill.postprocess.mends import keep_blank_lines, keep_indentation, merge_with_rest
from midfill.postprocess.trims import TRIMS, trim_start
from midfill.postprocess.user_indentation import begin_at_cursor
from midfill.prompt.context import Context


@dataclass(frozen=True)
class Finished:
    """A suggestion that may be shown, or the reason why it is not shown."""

    text: str
    """The text to insert; "" when there is a reason."""
    replaces: int = 0
    """Number of characters right of the cursor, on its line, that the text replaces."""
    reason: str = ""
    """Code of the drop that applied; "" to show the suggestion."""
    changes: tuple[tuple[str, int], ...] = ()
    """Code of each filter that changed the text, in order, and the number of characters it added (negative: cut)."""
    kept: int = 0
    """Number of characters, from the start of the unfinished text, that the suggestion was made from."""


def begin(text: str, context: Context, indentation: str, language: Language = PLAIN_TEXT) -> str:
    """Return the text generated so far with the document's ``indentation``, without what its start repeats."""
    indented = keep_indentation(text, context, indentation, language)
    return begin_at_cursor(trim_start(indented, context), context, language)


def changes_at_begin(
    text: str, context: Context, indentation: str, language: Language = PLAIN_TEXT
) -> tuple[tuple[str, int], ...]:
    """Return what :func:`begin` changed, in the form of :attr:`Finished.changes`."""
    indented = keep_indentation(text, context, indentation, language)
    trimmed = trim_start(indented, context)
    begun = begin_at_cursor(trimmed, context, language)
    steps = (("indentation", text, indented), ("start", indented, trimmed), ("cursor", trimmed, begun))
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
    """Trim and mend a text that has ended, and decide whether to show it.

    Args:
        text: The generated text after :func:`begin` and :func:`~midfill.postprocess.stops.find_stop`.
        context: The document around the cursor, as :func:`~midfill.postprocess.lines.nearby` returns it.
        automatic: Whether the trigger kind is automatic; an invoked request also gets short suggestions.
        language: The LSP language id; "" when unknown.
        path: The document's path or URI, which also tells the language.
        placeholders: The texts that replace secrets in the prompt.
        unfiltered: Whether to show every suggestion that is not blank, without mends.
        cut_short: Whether the text ended at a limit, perhaps within a word.
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
        mended = keep_blank_lines(text, context, grammar)
        if mended != text:
            changes.append(("blank-lines", len(mended) - len(text)))
        text = mended
        # A text that overlapped the rest of the line was written to stand before all of it.
        if not (cut_short or "suffix-overlap" in dict(changes)):
            text, replaces = merge_with_rest(mended, context, grammar)
        # The document has the secret in place of the placeholder, with another length.
        if any(placeholder in context.line_suffix[:replaces] for placeholder in placeholders):
            text, replaces = mended, 0
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
