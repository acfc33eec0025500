"""The stop before what the document closes already after the cursor: a bracket, a quote, a comment, a tag, a word."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

from midfill.code.brackets import OPENERS, QUOTES, brackets, is_open
from midfill.code.closing_marks import Pair, Toggle, closing_mark, unopened
from midfill.postprocess.lines import indent, line_below
from midfill.prompt.context import Context

Tokens = Callable[[str], Iterator[tuple[int, bool]]]
"""Finds the opening and the closing tokens of a text: the offset of each, and whether it opens."""

_OPENING_TAG = re.compile(r"<\w")
"""What makes a line below more than the end of an element, as in a list of `</dd><dt>`."""


def stop_at_closer(text: str, context: Context) -> int | None:
    """End before the closing bracket, quote or mark that already follows the cursor in the document.

    Editors insert the closing bracket at once, so the cursor often stands in ``f(|)``. Text that the model generates
    after ``x)`` would belong after the document's bracket.
    """
    rest = context.suffix.lstrip()
    if rest[:1] in OPENERS:
        return _end_of_nested(text, context, partial(_bracket_tokens, closer=rest[0]), context.line_suffix)
    if rest[:1] in QUOTES and context.line_suffix.strip() and is_open(rest[0], context.line_prefix):
        closing = rest[: len(rest) - len(rest.lstrip(rest[0]))]
        found = re.search(rf"(?<!\\){closing}", text)
        return found.start() if found else None
    mark = _mark_after(context)
    return _end_at_mark(text, context, mark) if mark else None


def closes_own(text: str, length: int) -> bool:
    """Return whether the last ``length`` characters close what the text before them opened."""
    head, tail = text[: len(text) - length], text[len(text) - length :]
    last_line = head[head.rfind("\n") + 1 :]
    if any(is_open(quote, last_line) for quote in QUOTES & set(tail)):
        return True
    if any(head.count(OPENERS[closer]) > head.count(closer) for closer in tail if closer in OPENERS):
        return True
    mark = closing_mark(tail.lstrip())
    return isinstance(mark, Pair) and _unclosed(head, mark.tokens) > 0


def _mark_after(context: Context) -> Pair | Toggle | None:
    """Return the mark that follows the cursor and closes what stands before it; None if there is none."""
    in_line = bool(context.line_suffix.strip())
    mark = closing_mark(context.suffix.lstrip())
    if mark is None or (not in_line and (mark.is_on_one_line or _OPENING_TAG.search(line_below(context)))):
        return None
    before = context.line_prefix if mark.is_on_one_line else context.prefix
    if isinstance(mark, Toggle):
        return mark if mark.is_open(before) else None
    return mark if not mark.is_on_one_line or _unclosed(before, mark.tokens) else None


def _end_at_mark(text: str, context: Context, mark: Pair | Toggle) -> int | None:
    if isinstance(mark, Toggle):
        return mark.first_in(text)
    if not mark.nests:
        return next(unopened(mark.tokens(text)), None)
    # Some marks are known by the character behind them, also at the end of a line.
    return _end_of_nested(text, context, mark.tokens, f"{context.line_suffix}\n")


def _bracket_tokens(text: str, closer: str) -> Iterator[tuple[int, bool]]:
    return ((place, bracket != closer) for place, bracket in brackets(text, closer))


def _unclosed(text: str, tokens: Tokens) -> int:
    """Return how many tokens ``text`` opens and does not close."""
    closing = sum(1 for _ in unopened(tokens(text)))
    opens = [is_opening for _, is_opening in tokens(text)]
    return 2 * sum(opens) - len(opens) + closing


def _end_of_nested(text: str, context: Context, tokens: Tokens, rest_of_line: str) -> int | None:
    """Return the offset in ``text`` of the token that repeats the document's next closer; None when it has none.

    The text may close what the cursor's line opens and its rest does not close; this includes brackets from a
    suggestion that was just accepted. When the document's closer is the first on a line, a closer at the start of a
    line of ``text`` repeats it only with the same indentation.
    """
    in_line = bool(context.line_suffix.strip())
    spare = _unclosed(context.line_prefix, tokens) - sum(1 for _ in unopened(tokens(rest_of_line)))
    own_indent = indent(line_below(context))
    for place in unopened(tokens(text)):
        newline = text.rfind("\n", 0, place)
        before = text[newline + 1 : place] if newline >= 0 else context.line_prefix + text[:place]
        if not in_line and not before.strip():
            if len(before) == own_indent:
                return place
        elif spare > 0:
            spare -= 1
        else:
            return place
    return None
