"""Where the new text of a window ends, and what of it is no change. A model that was not made for this often errs."""

from __future__ import annotations

from midfill.next_edit.difference import line_changes

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
        end = start + len(change.new)
        shift += len(change.new) - len(change.old)
        if [line.split() for line in change.old if line.strip()] == [
            line.split() for line in change.new if line.strip()
        ]:
            lines[start:end] = change.old
            shift += len(change.old) - len(change.new)
    return "\n".join(lines)
