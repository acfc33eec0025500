"""Pure: a document and an offset -> what stands before and after the cursor, without secrets."""

from __future__ import annotations

from dataclasses import dataclass

from midfill.privacy.secrets import redact

_CLOSERS = frozenset(")]}>\"'`,;: \t")
"""What may stand right of the cursor when a suggestion of several lines still makes sense."""
_MARGIN = 16_000
"""Characters beyond a window in which a secret is looked for that may reach into it, such as a private key's lines."""
_STEP = 8_192
"""A window begins at multiples of so many characters, so that its start stays put while somebody types."""


@dataclass(frozen=True)
class Context:
    r"""The document around the cursor, with line endings as the model knows them ("\n")."""

    prefix: str
    suffix: str
    offset: int
    """Where the two meet, in characters of the document as it is."""
    first_line: int = 0
    """The document's line, from 0, that the prefix begins with."""
    placeholders: frozenset[str] = frozenset()
    """What stands for secrets in the two sides."""
    in_secret: bool = False
    """Whether the cursor stands within a secret."""

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


def gather(text: str, offset: int, window: int | None = None) -> Context:
    """Split ``text`` at ``offset`` (clamped to it), both sides with plain newlines and without secrets.

    With a ``window``, so many characters of each side are sure to be there; what is far from the cursor is left out.
    """
    offset = min(max(offset, 0), len(text))
    if text[offset - 1 : offset + 1] == "\r\n":  # a cursor between the two halves of a line ending stands before it
        offset -= 1
    start, end = 0, len(text)
    if window is not None:
        start = text.rfind("\n", 0, max(offset - window - _MARGIN, 0) // _STEP * _STEP) + 1
        end = min(offset + window + _MARGIN, len(text))
    redacted = redact(text[start:end])
    here = redacted.offset(offset - start)
    return Context(
        _plain_newlines(redacted.text[:here]),
        _plain_newlines(redacted.text[here:]),
        offset,
        first_line=text.count("\n", 0, start),
        placeholders=frozenset(span.placeholder for span in redacted.spans),
        in_secret=any(span.start < offset - start < span.end for span in redacted.spans),
    )


def line_ending(text: str) -> str:
    r"""Return the document's line ending: that of its first line, "\n" when it has only one line."""
    newline = text.find("\n")
    return "\r\n" if newline > 0 and text[newline - 1] == "\r" else "\n"


def _plain_newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
