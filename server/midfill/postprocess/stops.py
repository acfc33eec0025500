"""Stops: they look at the text while it streams out and say where it should end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from midfill.code.brackets import OPENERS, QUOTES, brackets, is_open, unmatched
from midfill.postprocess.lines import alike, has_word, in_series, indent, line_below, lines_below
from midfill.postprocess.statement import stop_at_statement
from midfill.prompt.context import Context

Stop = Callable[[str, Context], "int | None"]

_FENCE = "```"
_TELLING = 10
"""Characters of a line that is not likely to be met twice."""
_NEAR = 0.1
"""Lines no farther apart are the same one, in other words (as Continue has it)."""
_SERIES = 0.3
"""Lines no farther apart are of one kind."""


class Ending(NamedTuple):
    """Where a text should end, and the code of the stop that says so."""

    end: int
    code: str


def stop_at_suffix_line(text: str, context: Context) -> int | None:
    """End before a line that already stands below the cursor; lines of closing brackets alone are too common.

    That is the first line below, or one of the next two if the document has it nowhere above.
    """
    below = lines_below(context, 3)
    if not below or not has_word(below[0]):
        return None
    wanted = {below[0], *(line for line in below[1:] if _is_distinct(line, context))}
    return next((start - 1 for start, line in _whole_lines(text) if start and line.rstrip() in wanted), None)


def stop_near_line_below(text: str, context: Context) -> int | None:
    """End before a line that is nearly the one below the cursor, unless a series of like lines is being written."""
    below = line_below(context)
    if len(below.strip()) < _TELLING or in_series(context, _SERIES):
        return None
    for start, line in _whole_lines(text):
        if start and indent(line) == indent(below) and alike(line.rstrip(), below, _NEAR):
            return start - 1
    return None


def stop_at_repeats(text: str, context: Context) -> int | None:
    """End after the first of three lines in a row that are the same, the cursor's included: a model that is stuck."""
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
    """End before a line indented less than the cursor's: the block is over.

    At the very start of a line it is the suggestion that says how deep the block is: only the outermost level ends it.
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


def stop_at_closer(text: str, context: Context) -> int | None:
    """End before the bracket or quote that comes next in the document anyway: the hole is filled.

    Editors close what is opened at once, so that the cursor mostly stands in ``f(|)``; a model that goes on after
    ``x)`` writes what would belong right of the document's bracket.
    """
    rest = context.suffix.lstrip()
    if rest[:1] in OPENERS:
        return _find_closing_bracket(text, context, rest[0])
    if rest[:1] in QUOTES and context.line_suffix.strip() and is_open(rest[0], context.line_prefix):
        closing = rest[: len(rest) - len(rest.lstrip(rest[0]))]
        found = re.search(rf"(?<!\\){closing}", text)
        return found.start() if found else None
    return None


def stop_at_fence(text: str, context: Context) -> int | None:
    """End before a Markdown fence, in a document that has none: the model has begun to talk about the code."""
    if _FENCE in context.prefix or _FENCE in context.suffix:
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
    """Return where ``text`` should end, by the first stop that applies; None to go on decoding.

    With ``one_statement``, that is at the latest where the statement ends that is being typed; the cursor's ``place``,
    found once by :func:`midfill.postprocess.place.place_of`, helps to tell.
    """
    endings = [Ending(end, code) for code, stop in STOPS.items() if (end := stop(text, context)) is not None]
    if one_statement and (end := stop_at_statement(text, context, place)) is not None:
        endings.append(Ending(end, "statement"))
    if (limit := _line_limit(text, max_lines)) is not None:
        endings.append(Ending(limit, "lines"))
    return min(endings, key=lambda ending: ending.end, default=None)


def stop_at_whole_lines(text: str, context: Context) -> Ending | None:
    """Apply the stops that look at lines that have ended to a text that has: its last line is whole, too."""
    endings = [Ending(end, code) for code in _LINE_STOPS if (end := STOPS[code](f"{text}\n", context)) is not None]
    return min(endings, key=lambda ending: ending.end, default=None)


def _whole_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield each line that has ended, and where it starts."""
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield start, text[start:end]
        start = end + 1


def _is_distinct(line: str, context: Context) -> bool:
    return len(line.strip()) >= _TELLING and has_word(line) and line.strip() not in context.prefix


def _line_limit(text: str, max_lines: int) -> int | None:
    end = -1
    for _ in range(max_lines):
        end = text.find("\n", end + 1)
        if end < 0:
            return None
    return end


def _find_closing_bracket(text: str, context: Context, closer: str) -> int | None:
    """Return where ``text`` closes the bracket that ``closer``, next in the document, closes too.

    Brackets opened on the cursor's line beyond those that its rest closes are for ``text`` to close, those of a
    suggestion just accepted among them (which others have to remember). When the
    document's closer stands on a line of its own, one at the start of a line is that same one if it is indented alike.
    """
    opener = OPENERS[closer]
    in_line = bool(context.line_suffix.strip())
    spare = unmatched(context.line_prefix, closer)[1] - unmatched(context.line_suffix, closer)[0]
    own_indent = indent(line_below(context))
    depth = 0
    for place, bracket in brackets(text, closer):
        if bracket == opener:
            depth += 1
        elif depth:
            depth -= 1
        else:
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
