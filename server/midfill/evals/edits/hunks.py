"""What differs between two versions of a file, as hunks, and the file with some of the hunks made."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from midfill.next_edit.difference import LineChange, line_changes

_REACH = 1
"""Number of unchanged lines between two changes that are one hunk, as in the editor's history."""


@dataclass(frozen=True)
class FileChange:
    """One file in two versions."""

    project: str
    version: str
    """What the later version is called: a release, or the beginning of a commit's id."""
    path: str
    """The path in the project, with "/"."""
    before: str
    after: str
    r"""The whole texts, with "\n" as line ending."""


def hunks_between(before: str, after: str) -> list[LineChange]:
    """Return the hunks that make ``before`` to ``after``, from the first line to the last one."""
    lines = before.split("\n")
    found: list[LineChange] = []
    for change in line_changes(before, after):
        last = found[-1] if found else None
        if last is not None and change.first - end_of(last) <= _REACH:
            between = tuple(lines[end_of(last) : change.first])
            found[-1] = LineChange(last.first, (*last.old, *between, *change.old), (*last.new, *between, *change.new))
        else:
            found.append(change)
    return found


def end_of(hunk: LineChange) -> int:
    """Return the line after the last old one."""
    return hunk.first + len(hunk.old)


def shift_of(hunks: Collection[LineChange]) -> int:
    """Return by how many lines a text grows if hunks are made."""
    return sum(len(hunk.new) - len(hunk.old) for hunk in hunks)


def moved(hunks: Sequence[LineChange], shift: int) -> tuple[LineChange, ...]:
    """Return hunks whose lines have moved down by ``shift``."""
    return tuple(replace(hunk, first=hunk.first + shift) for hunk in hunks)


def applied(text: str, hunks: Collection[LineChange]) -> str:
    """Return a text with hunks made. They do not overlap."""
    lines = text.split("\n")
    for hunk in sorted(hunks, key=lambda hunk: hunk.first, reverse=True):
        lines[hunk.first : end_of(hunk)] = hunk.new
    return "\n".join(lines)


def possible_versions(text: str, hunks: Sequence[LineChange], *, with_first: bool) -> Iterator[str]:
    """Yield the text with each choice of one or more of the hunks, the smallest choices first.

    With ``with_first``, the first hunk is in each choice.
    """
    for count in range(1, len(hunks) + 1):
        for chosen in combinations(hunks, count):
            if not with_first or hunks[0] in chosen:
                yield applied(text, chosen)
