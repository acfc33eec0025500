"""Stops: they look at the text while it is generated, and return where it should end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from midfill.code.brackets import OPENERS
from midfill.postprocess.closers import stop_at_closer
from midfill.postprocess.lines import alike, has_word, in_series, indent, line_below, lines_below
from midfill.postprocess.statement import stop_at_statement
from midfill.prompt.context import Context

Stop = Callable[[str, Context], "int | None"]

_FENCE = "```"
_MIN_DISTINCT_CHARACTERS = 10
"""Minimum number of characters of a line that is unlikely to occur twice."""
_MAX_SAME_LINE_DISTANCE = 0.1
"""Maximum normalised Levenshtein distance between two versions of the same line (as in Continue)."""


class Ending(NamedTuple):
    """The offset where a text should end, and the code of the stop that found it."""

    end: int
    code: str


def stop_at_suffix_line(text: str, context: Context) -> int | None:
    """End before a line that equals the first line below the cursor, or a distinct one of the next two lines.

    A first line below without any word, such as a closing bracket, is too common: then this stop does not apply.
    """
    below = lines_below(context, 3)
    if not below or not has_word(below[0]):
        return None
    wanted = {below[0], *(line for line in below[1:] if _is_distinct(line, context))}
    return next((start - 1 for start, line in _whole_lines(text) if start and line.rstrip() in wanted), None)


def stop_near_line_below(text: str, context: Context) -> int | None:
    """End before a line that nearly equals the line below the cursor, except in a series of similar lines."""
    below = line_below(context)
    if len(below.strip()) < _MIN_DISTINCT_CHARACTERS or in_series(context):
        return None
    for start, line in _whole_lines(text):
        if start and indent(line) == indent(below) and alike(line.rstrip(), below, _MAX_SAME_LINE_DISTANCE):
            return start - 1
    return None


def stop_at_repeats(text: str, context: Context) -> int | None:
    """End after the first of three equal lines in a row, the cursor's line included: the model repeats itself."""
    before, latest, times = "", 0, 0
    for start, line in _whole_lines(text):
        whole = (line if start else context.line_prefix + line).rstrip()
        if not whole:
            continue
        times = times + 1 if whole == before else 1
        if times == 1:
            before, latest = whole, start + len(line)
        if times == 3:
            return latest
    return None


def stop_at_dedent(text: str, context: Context) -> int | None:
    """End before a line that is indented less than the cursor's line: the block has ended.

    When the cursor is at column 0, the suggestion's first line sets the depth, and only an unindented line ends it.
    """
    floor = indent(context.line_prefix) if context.line_prefix else min(indent(text), 1)
    start = text.find("\n") + 1
    while start > 0:
        end = text.find("\n", start)
        line = text[start:] if end < 0 else text[start:end]
        content = line.lstrip(" \t")
        if content and content[0] not in OPENERS and indent(line) < floor:
            return start - 1
        start = end + 1
    return None


def stop_at_fence(text: str, context: Context) -> int | None:
    """End before a Markdown fence, in a document that has none: the model has begun to explain the code.

    A text that begins with a fence may also close it.
    """
    if _FENCE in context.prefix + text[: len(_FENCE)] or _FENCE in context.suffix:
        return None
    found = re.search(rf"\n[ \t]*{_FENCE}", text)
    return found.start() if found else None


STOPS: dict[str, Stop] = {
    "suffix-line": stop_at_suffix_line,
    "near-suffix-line": stop_near_line_below,
    "repeats": stop_at_repeats,
    "dedent": stop_at_dedent,
    "closer": stop_at_closer,
    "fence": stop_at_fence,
}

_LINE_STOPS = ("suffix-line", "near-suffix-line", "repeats")


def find_stop(
    text: str, context: Context, max_lines: int, *, one_statement: bool = False, place: str = ""
) -> Ending | None:
    """Return the earliest ending that a stop finds in ``text``; None to continue generating.

    With ``one_statement``, the text also ends with the statement that the user is typing; ``place`` is the cursor's
    place, from :func:`midfill.postprocess.place.place_of`.
    """
    endings = [Ending(end, code) for code, stop in STOPS.items() if (end := stop(text, context)) is not None]
    if one_statement and (end := stop_at_statement(text, context, place)) is not None:
        endings.append(Ending(end, "statement"))
    if (limit := _line_limit(text, max_lines)) is not None:
        endings.append(Ending(limit, "lines"))
    return min(endings, key=lambda ending: ending.end, default=None)


def stop_at_whole_lines(text: str, context: Context) -> Ending | None:
    """Apply the stops that compare whole lines to a text that has ended, so that its last line is whole, too."""
    endings = [Ending(end, code) for code in _LINE_STOPS if (end := STOPS[code](f"{text}\n", context)) is not None]
    return min(endings, key=lambda ending: ending.end, default=None)


def _whole_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the offset and the text of each line that ends with a newline."""
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield start, text[start:end]
        start = end + 1


def _is_distinct(line: str, context: Context) -> bool:
    """Return whether a line is long, has a word, and does not occur above the cursor."""
    return len(line.strip()) >= _MIN_DISTINCT_CHARACTERS and has_word(line) and line.strip() not in context.prefix


def _line_limit(text: str, max_lines: int) -> int | None:
    end = -1
    for _ in range(max_lines):
        end = text.find("\n", end + 1)
        if end < 0:
            return None
    return end
