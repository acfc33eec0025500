r"""Open documents, and the conversion between LSP positions and character offsets.

pygls keeps documents too. But pygls 2.1 splits lines with ``str.splitlines``, which also splits at form feeds and
U+2028, so that later edits reach the wrong line. It also puts a column beyond the last line's end one character before
that end. Here lines end as LSP says, at ``\n``, ``\r\n`` and ``\r``, and every position has a valid offset.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping

from lsprotocol import types

_UNITS: Mapping[str, Callable[[str], int]] = {
    types.PositionEncodingKind.Utf8.value: lambda text: len(text.encode("utf-8")),
    types.PositionEncodingKind.Utf16.value: lambda text: len(text.encode("utf-16-le")) // 2,
    types.PositionEncodingKind.Utf32.value: len,
}
_LINE_END = re.compile("\r\n?")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Document:
    r"""One version of an open document. A change makes a new version, so offsets into this one stay valid.

    The line ends of the text are always ``\n``, whatever the file has: editors insert their own line ends, and the
    model knows one kind only. LSP columns do not count line ends, so positions stay the same.
    """

    def __init__(self, text: str, *, language: str, encoding: str, version: int = 0) -> None:
        self.text = _normalized(text)
        self.language = language
        self.version = version
        """The client's own number for this version."""
        self.encoding = encoding
        """The unit of columns, one of LSP's position encodings."""
        self._units = _UNITS[encoding]
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", self.text))]

    def changed(self, change: types.TextDocumentContentChangeEvent, version: int | None = None) -> Document:
        """Return the document after one change of a ``textDocument/didChange``, with its new version."""
        text = change.text
        if isinstance(change, types.TextDocumentContentChangePartial):
            start = self.offset_at(change.range.start)
            end = max(start, self.offset_at(change.range.end))
            text = self.text[:start] + text + self.text[end:]
        version = self.version if version is None else version
        return Document(text, language=self.language, encoding=self.encoding, version=version)

    def offset_at(self, position: types.Position) -> int:
        """Return the offset of a position. One beyond the end of its line, or of the document, is at that end."""
        if position.line >= len(self._line_starts):
            return len(self.text)
        start = self._line_starts[position.line]
        end = self.text.find("\n", start)
        line = self.text[start:] if end < 0 else self.text[start:end]
        return start + bisect_left(range(len(line)), position.character, key=lambda length: self._units(line[:length]))

    def position_at(self, offset: int) -> types.Position:
        """Return the position of an offset into the text."""
        line = bisect_right(self._line_starts, offset) - 1
        return types.Position(line=line, character=self._units(self.text[self._line_starts[line] : offset]))

    def range_between(self, start: int, end: int) -> types.Range:
        """Return the range between two offsets."""
        return types.Range(start=self.position_at(start), end=self.position_at(end))


def _normalized(text: str) -> str:
    """Normalize line ends, and replace lone surrogates, which no tokenizer accepts, by U+FFFD, which is as wide."""
    return _LONE_SURROGATE.sub("\ufffd", _LINE_END.sub("\n", text))
