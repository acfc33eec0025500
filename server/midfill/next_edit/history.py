"""What the user changed lately, as hunks: the example from which the next edit is told.

Changes that touch belong to one hunk while the user does not pause for long. A change that is taken back leaves none.
Only the hunk that is still growing refers to whole documents; all others have a few lines, without secrets.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from midfill.common.lines import lines_between
from midfill.next_edit.changed_lines import Span, changed_lines, parted
from midfill.next_edit.types import Hunk
from midfill.privacy.secrets import RedactedText, redacted_lines

_MAX_HUNKS = 24
"""Maximum number of hunks that are remembered, of all documents together."""
_MAX_PARTS = 8
"""Maximum number of hunks that one change becomes. A prompt has fewer."""
_MAX_LINES = 40
_MAX_CHARACTERS = 4_000
"""Maximum numbers of lines and characters of a hunk, before and after. A larger change (another branch, a formatter, a
paste) is no example of what a person does by hand."""
_MAX_NEIGHBOUR_CHARACTERS = 200
"""Maximum number of characters of the unchanged line above or below a hunk."""
_REACH = 1
"""Number of unchanged lines between two changes that still touch."""
_PAUSE = 60.0
"""Seconds without a change after which the next one begins a hunk of its own."""


@dataclass(frozen=True)
class _Change:
    """A document before and after a change, and the lines of it."""

    path: str
    before: str
    after: str
    span: Span
    at: float
    """When it was made, or last grew, in seconds of the history's clock."""
    suggested: bool

    @property
    def old(self) -> str:
        """The lines before, which may have secrets."""
        return lines_between(self.before, self.span.old_first, self.span.old_end).removesuffix("\n")

    @property
    def new(self) -> str:
        """The lines after, which may have secrets."""
        return lines_between(self.after, self.span.first, self.span.end).removesuffix("\n")

    @property
    def is_small(self) -> bool:
        """Whether it is an example of what a person does by hand."""
        return self.span.lines <= _MAX_LINES and max(len(self.old), len(self.new)) <= _MAX_CHARACTERS

    def takes_back(self, hunk: Hunk) -> bool:
        """Return whether it makes the lines of an earlier hunk what they were."""
        span = self.span
        numbers = (self.path, span.first, span.end - span.first, span.old_end - span.old_first)
        if numbers != (hunk.path, hunk.first_line, hunk.old_lines, hunk.new_lines):
            return False
        return (self.new, self.old) == (hunk.old, hunk.new)

    def hunk(self) -> Hunk:
        """Return the lines without secrets."""
        span = self.span
        return Hunk(
            path=self.path,
            first_line=span.first,
            old=_redacted(self.before, span.old_first, span.old_end),
            new=_redacted(self.after, span.first, span.end),
            old_lines=span.old_end - span.old_first,
            new_lines=span.end - span.first,
            suggested=self.suggested,
            above=_neighbour(self.after, span.first - 1),
            below=_neighbour(self.after, span.end),
        )


class EditHistory:
    """The latest hunks of one client, across documents; for one thread at a time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Begin without hunks. ``clock`` returns the seconds since some fixed moment."""
        self._clock = clock
        self._closed: deque[Hunk] = deque(maxlen=_MAX_HUNKS)  # the latest last
        self._undone: deque[Hunk] = deque(maxlen=_MAX_HUNKS)
        self._growing: _Change | None = None

    def changed(self, path: str, before: str, after: str, *, suggested: bool = False) -> None:
        r"""Note that a document's text became another one.

        Args:
            path: the document's identity.
            before: its whole text before, with "\n" as line ending.
            after: its whole text now.
            suggested: whether an accepted suggestion made the change. It gets a hunk of its own.
        """
        span = changed_lines(before, after)
        if span is None:
            return
        change = _Change(path, before, after, span, self._clock(), suggested)
        growing = self._growing
        if growing is not None and _continues(change, growing):
            self._move(change)
            self._grow(growing, change)
        else:
            self._close()
            self._move(change)
            self._begin(change)
        self._drop_taken_back()

    def hunks(self) -> tuple[Hunk, ...]:
        """Return the changes that are still there, the latest last. None has a secret."""
        return (
            *self._closed,
            *(change.hunk() for change in (self._growing,) if change is not None and change.is_small),
        )

    def undone(self) -> tuple[Hunk, ...]:
        """Return changes that were taken back: what the user did not want."""
        return tuple(self._undone)

    def forget(self, path: str) -> None:
        """Forget the changes of a document."""
        if self._growing is not None and self._growing.path == path:
            self._growing = None
        for hunks in (self._closed, self._undone):
            _replace_all(hunks, [hunk for hunk in hunks if hunk.path != path])

    def _grow(self, growing: _Change, change: _Change) -> None:
        whole = changed_lines(growing.before, change.after)
        if whole is None:  # the document is as it was
            self._undone.append(growing.hunk())
            self._growing = None
        else:
            self._growing = replace(growing, after=change.after, span=whole, at=change.at)

    def _begin(self, change: _Change) -> None:
        """Begin a hunk. A change of many places, as a rename by another server makes it, is several hunks at once."""
        spans = list(parted(change.span, change.before, change.after, _REACH))
        if len(spans) == 1:
            self._growing = change
            return
        parts = [replace(change, span=span) for span in spans[-_MAX_PARTS:]]
        self._closed.extend(part.hunk() for part in parts if part.is_small)

    def _drop_taken_back(self) -> None:
        """Drop an earlier hunk that the growing one takes back, and the growing one."""
        growing = self._growing
        undone = next((hunk for hunk in reversed(self._closed) if growing and growing.takes_back(hunk)), None)
        if undone is not None:
            self._closed.remove(undone)
            self._undone.append(undone)
            self._growing = None

    def _close(self) -> None:
        change, self._growing = self._growing, None
        if change is not None and change.is_small:
            self._closed.append(change.hunk())

    def _move(self, change: _Change) -> None:
        """Move the hunks below a change to where their lines are now."""
        if change.span.shift:
            moved = [
                replace(hunk, first_line=hunk.first_line + change.span.shift)
                if hunk.path == change.path and hunk.first_line >= change.span.old_end
                else hunk
                for hunk in self._closed
            ]
            _replace_all(self._closed, moved)


def _continues(change: _Change, growing: _Change) -> bool:
    """Return whether a change belongs to the hunk that is growing."""
    if change.suggested or growing.suggested or change.path != growing.path or change.before != growing.after:
        return False
    touches = change.span.old_first <= growing.span.end + _REACH and change.span.old_end >= growing.span.first - _REACH
    return touches and change.at - growing.at <= _PAUSE and change.span.lines + growing.span.lines <= _MAX_LINES


def _redacted(text: str, first: int, end: int) -> RedactedText:
    return redacted_lines(text, first, end - 1) if end > first else RedactedText("")


def _neighbour(text: str, line: int) -> tuple[RedactedText, ...]:
    """Return a line without secrets; nothing if there is none, or if it is very long."""
    if not 0 <= line <= text.count("\n"):
        return ()
    found = _redacted(text, line, line + 1)
    return (found,) if len(found) <= _MAX_NEIGHBOUR_CHARACTERS else ()


def _replace_all(hunks: deque[Hunk], others: list[Hunk]) -> None:
    hunks.clear()
    hunks.extend(others)
