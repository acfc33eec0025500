"""The smallest edits that make one text of a few lines another one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_TOKEN = re.compile(r"\w+|[^\S\n]+|\n|.", re.DOTALL)
_MIN_SIMILARITY = 0.4
"""Minimum similarity of two lines for which their parts are compared. Other lines are replaced whole."""
_MAX_COMPARED = 40_000
"""Maximum number of pairs of parts that are compared."""


@dataclass(frozen=True)
class Replacement:
    """Characters ``start`` to ``end`` of the old text, and what is in their place in the new one."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class LineChange:
    """Lines of the old text, and the lines in their place. Line numbers count from 0."""

    first: int
    old: tuple[str, ...]
    new: tuple[str, ...]


def line_changes(old: str, new: str) -> list[LineChange]:
    """Return the lines that differ, in their order."""
    before, after = old.split("\n"), new.split("\n")
    return [
        LineChange(first, tuple(before[first:end]), tuple(after[start:stop]))
        for tag, first, end, start, stop in SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
        if tag != "equal"
    ]


def replacements(old: str, new: str) -> list[Replacement]:
    """Return the smallest replacements that make ``old`` to ``new``, in their order. They do not touch."""
    starts = _line_starts(old)
    found: list[Replacement] = []
    for change in line_changes(old, new):
        found += _in_lines(change, starts, len(old))
    return found


def _in_lines(change: LineChange, starts: Sequence[int], length: int) -> Iterator[Replacement]:
    start, end = starts[change.first], starts[change.first + len(change.old)]
    text = "".join(f"{line}\n" for line in change.new)
    if len(change.old) == len(change.new):
        for number, (before, after) in enumerate(zip(change.old, change.new, strict=True)):
            yield from _in_line(before, after, starts[change.first + number])
    elif end > length:  # the last line has no line end
        if start == 0 or (change.old and change.new):
            yield Replacement(start, length, text.removesuffix("\n"))
        else:
            yield Replacement(start - 1, length, f"\n{text}".removesuffix("\n"))
    else:
        yield Replacement(start, end, text)


def _in_line(old: str, new: str, at: int) -> Iterator[Replacement]:
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    if len(before) * len(after) > _MAX_COMPARED or matcher.ratio() < _MIN_SIMILARITY:
        yield Replacement(at, at + len(old), new)
        return
    offsets = [0]
    for token in before:
        offsets.append(offsets[-1] + len(token))
    for tag, first, end, start, stop in matcher.get_opcodes():
        if tag != "equal":
            yield Replacement(at + offsets[first], at + offsets[end], "".join(after[start:stop]))


def _line_starts(text: str) -> list[int]:
    """Return the offset of each line, and where a line after the last one would begin."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts
