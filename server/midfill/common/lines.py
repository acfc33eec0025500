"""Lines of a text, found without a list of all of them. Lines count from 0, and only a newline ends one."""

from __future__ import annotations

import re

MAX_PARSED_LINE_CHARACTERS = 8_000
"""Maximum number of characters of a line that a parser reads. Some grammars take a time that grows with the square."""
_LONG_LINE_END = re.compile(rf"^(.{{{MAX_PARSED_LINE_CHARACTERS}}}).+", re.MULTILINE)


def count_lines(text: str) -> int:
    """Return the number of lines. A newline at the end begins no further line, and an empty text has none."""
    return text.count("\n") + (text != "" and not text.endswith("\n"))


def offset_of_line(text: str, line: int) -> int:
    """Return the offset at which a line begins; the length of the text if it has no such line."""
    start, end = 0, len(text)
    while line > 0 and start < end:
        middle = (start + end + 1) // 2
        before = text.count("\n", start, middle)
        if before < line:
            start, line = middle, line - before
        else:
            end = middle
            if end - start == 1:
                return end
    return start if line <= 0 else len(text)


def lines_between(text: str, first_line: int, end_line: int) -> str:
    """Return the lines from ``first_line`` to before ``end_line``, with their line ends."""
    start = offset_of_line(text, first_line)
    return text[start : start + offset_of_line(text[start:], end_line - first_line)]


def without_long_ends(text: str) -> str:
    """Return a text for a parser: the same lines, without the ends of very long ones."""
    return _LONG_LINE_END.sub(r"\1", text)
