"""Which lines of a text a change has changed. Lines count from 0, and only a newline ends one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from midfill.common.lines import lines_between

_MAX_COMPARED = 200_000
"""Maximum number of pairs of an old and a new line that are compared to part a change of many places."""


@dataclass(frozen=True)
class Span:
    """Lines of a text before a change, and the lines that are in their place after it."""

    old_first: int
    old_end: int
    first: int
    end: int

    @property
    def lines(self) -> int:
        """The larger number of lines, before or after."""
        return max(self.old_end - self.old_first, self.end - self.first)

    @property
    def shift(self) -> int:
        """By how many lines what is below has moved."""
        return (self.end - self.first) - (self.old_end - self.old_first)


def changed_lines(before: str, after: str) -> Span | None:
    """Return the lines from the first to the last one that differ; None if none do.

    Whole lines that were inserted or removed are only those, without a line beside them.
    """
    if before == after:
        return None
    start = before.rfind("\n", 0, common_start(before, after)) + 1
    tail = _common_end(before, after, min(len(before), len(after)) - start)
    old, new = before[start : len(before) - tail], after[start : len(after) - tail]
    first = before.count("\n", 0, start)
    if all(not part or part.endswith("\n") for part in (old, new)):
        return Span(first, first + old.count("\n"), first, first + new.count("\n"))
    line_end = before.find("\n", len(before) - tail)
    kept = len(before) - line_end if line_end >= 0 else 0  # from the end of the last changed line on
    old_lines, new_lines = (text.count("\n", start, len(text) - kept) + 1 for text in (before, after))
    return Span(first, first + old_lines, first, first + new_lines)


def parted(span: Span, before: str, after: str, reach: int) -> Iterator[Span]:
    """Yield the parts of a change that have more than ``reach`` unchanged lines between them.

    A very long change is yielded as it is.
    """
    old = lines_between(before, span.old_first, span.old_end).split("\n")
    new = lines_between(after, span.first, span.end).split("\n")
    if len(old) * len(new) > _MAX_COMPARED:
        yield span
        return
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    part: Span | None = None
    for tag, old_first, old_end, first, end in matcher.get_opcodes():
        if tag == "equal":
            continue
        if part is not None and old_first - part.old_end > reach:
            yield _moved(part, span)
            part = None
        begun = part or Span(old_first, old_end, first, end)
        part = Span(begun.old_first, old_end, begun.first, end)
    if part is not None:
        yield _moved(part, span)


def _moved(part: Span, whole: Span) -> Span:
    return Span(
        whole.old_first + part.old_first,
        whole.old_first + part.old_end,
        whole.first + part.first,
        whole.first + part.end,
    )


def common_start(one: str, other: str) -> int:
    """Return the number of first characters that two texts share. Long parts are compared, so it takes few steps."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _common_end(one: str, other: str, limit: int) -> int:
    """Return the number of last characters that two texts share, ``limit`` at most."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if one[len(one) - middle : len(one) - low] == other[len(other) - middle : len(other) - low]:
            low = middle
        else:
            high = middle - 1
    return low
