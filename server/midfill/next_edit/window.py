"""The lines around a place that the model writes anew, without secrets, and the way back to the document."""

from __future__ import annotations

from dataclasses import dataclass

from midfill.common.lines import offset_of_line
from midfill.privacy.secrets import Redacted, redact

_REACH = 16_000
"""Number of characters around the lines that are searched for secrets too: a long private key may reach into them."""
_MAX_CHARACTERS = 6_000
"""Maximum number of characters of a window. Longer lines are no code that a person edits."""


@dataclass(frozen=True)
class Window:
    r"""Whole lines of a document, with "\n" between them and no line end after the last one."""

    first_line: int
    """From 0."""
    text: str
    above: str
    """The lines before the window, as many as were asked for; each ends with a newline."""
    below: str
    """The lines after it; each begins with a newline."""
    _redacted: Redacted
    _base: int
    """Offset in the document at which the searched text begins."""
    _start: int
    """Offset of the window in the searched text without secrets."""

    @property
    def end_line(self) -> int:
        """The line after the last one."""
        return self.first_line + self.text.count("\n") + 1

    @property
    def placeholders(self) -> frozenset[str]:
        """The texts that stand for secrets in the window and near it."""
        return frozenset(span.placeholder for span in self._redacted.spans)

    def to_document(self, offset: int) -> int:
        """Return the offset in the document of an offset in the window."""
        return self._base + self._redacted.original(self._start + offset)

    def from_document(self, offset: int) -> int:
        """Return the offset in the window of one in the document; it is clamped to the window."""
        inside = self._redacted.offset(offset - self._base) - self._start
        return min(max(inside, 0), len(self.text))

    def touches_secret(self, start: int, end: int) -> bool:
        """Return whether a part of the window has some of a placeholder."""
        return any(
            begin < end and start < begin + len(span.placeholder)
            for span in self._redacted.spans
            for begin in (self._redacted.offset(span.start) - self._start,)
        )


def window_at(text: str, line: int, above: int, below: int, context: int = 0) -> Window | None:
    r"""Return the lines around ``line``; None if they are too long for code.

    Args:
        text: the whole document, with "\n" as line ending.
        line: the line of the place, from 0; the last one if there are fewer.
        above: number of lines above it, if there are so many.
        below: number of lines below it.
        context: number of further lines on each side.
    """
    count = text.count("\n") + 1
    line = min(line, count - 1)
    first, last = max(line - above, 0), min(line + below + 1, count)
    start, end = (offset_of_line(text, number) for number in (first, last))
    end -= last < count  # the line end after the last line
    if end - start > _MAX_CHARACTERS:
        return None
    outer_start = max(offset_of_line(text, first - context), start - _REACH)
    outer_end = min(offset_of_line(text, last + context) - (last + context < count), end + _REACH)
    base = max(outer_start - _REACH, 0)
    redacted = redact(text[base : outer_end + _REACH])
    at, stop, outer_at, outer_stop = (
        redacted.offset(offset - base) for offset in (start, end, outer_start, max(outer_end, end))
    )
    return Window(
        first_line=first,
        text=redacted.text[at:stop],
        above=redacted.text[outer_at:at],
        below=redacted.text[stop:outer_stop],
        _redacted=redacted,
        _base=base,
        _start=at,
    )
