"""Pure: a document and an offset -> what stands before and after the cursor."""

from __future__ import annotations

from dataclasses import dataclass

_CLOSERS = frozenset(")]}>\"'`,;: \t")
"""What may stand right of the cursor when a suggestion of several lines still makes sense."""


@dataclass(frozen=True)
class Context:
    r"""The document around the cursor, with line endings as the model knows them ("\n")."""

    prefix: str
    suffix: str
    offset: int
    """Where the two meet, in characters of the document as it is."""

    @property
    def line_prefix(self) -> str:
        """The cursor's line, left of the cursor."""
        return self.prefix[self.prefix.rfind("\n") + 1 :]

    @property
    def line_suffix(self) -> str:
        """The cursor's line, right of the cursor."""
        return self.suffix.partition("\n")[0]

    @property
    def wants_one_line(self) -> bool:
        """Whether code stands right of the cursor, so that a suggestion must end on its line."""
        return not set(self.line_suffix) <= _CLOSERS


def gather(text: str, offset: int) -> Context:
    """Split ``text`` at ``offset`` (clamped to it), both sides with plain newlines."""
    offset = min(max(offset, 0), len(text))
    if text[offset - 1 : offset + 1] == "\r\n":  # a cursor between the two halves of a line ending stands before it
        offset -= 1
    return Context(_plain_newlines(text[:offset]), _plain_newlines(text[offset:]), offset)


def line_ending(text: str) -> str:
    r"""Return the document's line ending: that of its first line, "\n" when it has only one line."""
    newline = text.find("\n")
    return "\r\n" if newline > 0 and text[newline - 1] == "\r" else "\n"


def _plain_newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
