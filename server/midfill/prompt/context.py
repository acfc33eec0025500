"""Splits a document at the cursor into the text before and after it, without secrets. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass

from midfill.privacy.secrets import redact

_CLOSERS = frozenset(")]}>\"'`,;: \t")
"""Characters that may be right of the cursor if a suggestion has several lines: editors insert them by themselves."""
_MIN_WINDOW = 12_000
"""Minimum number of characters of a window on each side of the cursor: the filters read so many."""
_MARGIN = 16_000
"""Number of characters outside a window that are also searched for secrets: a private key of many lines may reach into
the window."""
_STEP = 8_192
"""A window starts at a multiple of this number of characters, so that its start seldom moves while the user types."""


@dataclass(frozen=True)
class Context:
    r"""The document around the cursor, with "\n" as line ending."""

    prefix: str
    """The text before the cursor."""
    suffix: str
    """The text after the cursor."""
    offset: int
    """The cursor, in characters of the original document."""
    first_line: int = 0
    """The number of the document's line, from 0, at which the prefix begins."""
    placeholders: frozenset[str] = frozenset()
    """The texts that replace secrets in prefix and suffix."""
    in_secret: bool = False
    """Whether the cursor is within a secret."""

    @property
    def line_prefix(self) -> str:
        """The part of the cursor's line left of the cursor."""
        return self.prefix[self.prefix.rfind("\n") + 1 :]

    @property
    def line_suffix(self) -> str:
        """The part of the cursor's line right of the cursor."""
        return self.suffix.partition("\n")[0]

    @property
    def wants_one_line(self) -> bool:
        """Whether code is right of the cursor, so that a suggestion must be one line."""
        return not set(self.line_suffix) <= _CLOSERS


def gather(text: str, offset: int, window: int | None = None) -> Context:
    r"""Split ``text`` at ``offset``. Both sides get "\n" as line ending, and placeholders instead of secrets.

    Args:
        text: the whole document.
        offset: the cursor, in characters; clamped to the document.
        window: number of characters that each side has at least, if the document has them. Text far from the cursor is
            left out. None leaves nothing out.
    """
    offset = min(max(offset, 0), len(text))
    if text[offset - 1 : offset + 1] == "\r\n":  # a cursor within a line ending is moved before it
        offset -= 1
    start, end = (0, len(text)) if window is None else _window(text, offset, max(window, _MIN_WINDOW))
    first = max(start - _MARGIN, 0)
    redacted = redact(text[first : end + _MARGIN])
    begin, here, stop = (redacted.offset(place - first) for place in (start, offset, end))
    return Context(
        _plain_newlines(redacted.text[begin:here]),
        _plain_newlines(redacted.text[here:stop]),
        offset,
        first_line=text.count("\n", 0, start),
        placeholders=frozenset(span.placeholder for span in redacted.spans),
        in_secret=redacted.hides(offset - first),
    )


def _window(text: str, offset: int, size: int) -> tuple[int, int]:
    """Return the part of a document that is read: ``size`` characters or more on each side of the cursor.

    It begins at a line's start, unless that is far away, as in a document of one line.
    """
    start = max(offset - size, 0) // _STEP * _STEP
    newline = text.rfind("\n", max(start - _MARGIN, 0), start)
    if newline >= 0 or start <= _MARGIN:
        start = newline + 1
    return start, min(offset + size, len(text))


def line_ending(text: str) -> str:
    r"""Return the line ending of the document's first line; "\n" if it has only one line."""
    newline = text.find("\n")
    return "\r\n" if newline > 0 and text[newline - 1] == "\r" else "\n"


def _plain_newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
