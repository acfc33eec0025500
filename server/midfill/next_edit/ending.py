"""Where the new text of a window ends, and what of it is no change. A model that was not made for this often errs."""

from __future__ import annotations

from collections.abc import Sequence

from midfill.next_edit.difference import LineChange, line_changes

_LAST_LINES = 3
"""Number of last lines of a window by which its end is recognised."""


def has_reached_end(text: str, window: str) -> bool:
    """Return whether ``text``, whose last line is complete, has come to the end of the window that it rewrites."""
    lines, old = text.removesuffix("\n").split("\n"), window.split("\n")
    last = old[-_LAST_LINES:]
    if lines[-len(last) :] != last or not "".join(last).strip():
        return False
    earlier = sum(old[at : at + len(last)] == last for at in range(len(old) - len(last)))
    return sum(lines[at : at + len(last)] == last for at in range(len(lines) - len(last) + 1)) > earlier


def keep_white_space(window: str, text: str) -> str:
    """Return ``text`` with the window's own lines wherever it differs only in white space, as at its end."""
    text = text.rstrip("\n") + window[len(window.rstrip("\n")) :]
    lines = text.split("\n")
    shift = 0
    for change in line_changes(window, text):
        start = change.first + shift
        kept = _with_old_white_space(change)
        lines[start : start + len(change.new)] = kept
        shift += len(kept) - len(change.old)
    return "\n".join(lines)


def _with_old_white_space(change: LineChange) -> Sequence[str]:
    """Return the new lines of a change, with the old ones where only white space differs."""
    old, new = ([line.split() for line in lines if line.strip()] for lines in (change.old, change.new))
    if old == new:
        return change.old
    if len(change.old) != len(change.new):
        return change.new
    pairs = zip(change.old, change.new, strict=True)
    return [before if before.split() == after.split() else after for before, after in pairs]
