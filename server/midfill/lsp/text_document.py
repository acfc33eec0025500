r"""Open documents, and the conversion between LSP positions and character offsets.

pygls keeps documents too. But pygls 2.1 splits lines with ``str.splitlines``, which also splits at form feeds and
U+2028, so that later edits reach the wrong line. It also puts a column beyond the last line's end one character before
that end. Here lines end as LSP says, at ``\n``, ``\r\n`` and ``\r``, and every position has a valid offset.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence

from lsprotocol import types

_CODECS: Mapping[str, tuple[str, int]] = {
    types.PositionEncodingKind.Utf8.value: ("utf-8", 1),
    types.PositionEncodingKind.Utf16.value: ("utf-16-le", 2),
    types.PositionEncodingKind.Utf32.value: ("utf-32-le", 4),
}
"""The codec of each position encoding, and how many bytes a column has in it."""
_LINE_END = re.compile("\r\n?")
_ANY_LINE_END = re.compile("\r\n?|\n")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


class Document:
    r"""One version of an open document. A change makes a new version, so offsets into this one stay valid.

    The line ends of the text are always ``\n``, whatever the file has: editors insert their own line ends, and the
    model knows one kind only. LSP columns do not count line ends, so positions stay the same. Half a surrogate pair,
    which no tokenizer accepts, is U+FFFD, which is as wide.

    The client's own text is kept as well. An edit may bring the other half of a pair, or of a ``\r\n``.
    """

    def __init__(self, text: str, *, language: str, encoding: str, version: int = 0) -> None:
        self._clients = text
        self.text = whole_characters(_LINE_END.sub("\n", text))
        self.language = language
        self.version = version
        """The client's own number for this version."""
        self.encoding = encoding
        """The unit of columns, one of LSP's position encodings."""
        self._codec, self._bytes = _CODECS[encoding]
        self._line_starts = _starts(re.compile("\n"), self.text)
        self._clients_starts = _starts(_ANY_LINE_END, text) if "\r" in text else self._line_starts

    def changed(self, change: types.TextDocumentContentChangeEvent, version: int | None = None) -> Document:
        """Return the document after one change of a ``textDocument/didChange``, with its new version."""
        text = change.text
        if isinstance(change, types.TextDocumentContentChangePartial):
            start = self._place(change.range.start)
            before, _ = self._cut(start)
            _, after = self._cut(max(start, self._place(change.range.end)))
            text = _joined(before, text, after)
        version = self.version if version is None else version
        return Document(text, language=self.language, encoding=self.encoding, version=version)

    def offset_at(self, position: types.Position) -> int:
        """Return the offset of a position. One beyond the end of its line, or of the document, is at that end."""
        line, length, is_inside = self._place(position)
        return self._line_starts[line] + length + is_inside

    def position_at(self, offset: int) -> types.Position:
        """Return the position of an offset into the text."""
        line = bisect_right(self._line_starts, offset) - 1
        before = self.text[self._line_starts[line] : offset]
        return types.Position(line=line, character=len(before.encode(self._codec)) // self._bytes)

    def range_between(self, start: int, end: int) -> types.Range:
        """Return the range between two offsets."""
        return types.Range(start=self.position_at(start), end=self.position_at(end))

    def _place(self, position: types.Position) -> tuple[int, int, bool]:
        """Return a line, the number of whole characters before a position in it, and if it is inside the next one."""
        line = min(position.line, len(self._line_starts) - 1)
        start = self._line_starts[line]
        end = self.text.find("\n", start)
        text = self.text[start : end if end >= 0 else None]
        if position.line > line:
            return line, len(text), False
        before = text[: position.character].encode(self._codec)[: self._bytes * position.character]
        whole = before.decode(self._codec, "ignore")
        return line, len(whole), len(whole.encode(self._codec)) < len(before)

    def _cut(self, place: tuple[int, int, bool]) -> tuple[str, str]:
        """Return the client's text before and after a place. Inside a character, each gets a half."""
        line, length, is_inside = place
        at = self._clients_starts[line] + length
        before, after = self._clients[:at], self._clients[at:]
        if is_inside and self._codec == "utf-16-le":
            pair = after[0].encode(self._codec)
            high, low = (half.decode(self._codec, "surrogatepass") for half in (pair[:2], pair[2:]))
            return before + high, low + after[1:]
        return before + after[:is_inside], after[is_inside:]


def whole_characters(text: str) -> str:
    """Return a text with U+FFFD in place of each half of a surrogate pair, which no tokenizer accepts."""
    return _SURROGATE.sub("\ufffd", text)


def _starts(line_end: re.Pattern[str], text: str) -> Sequence[int]:
    return [0, *(found.end() for found in line_end.finditer(text))]


def _joined(before: str, text: str, after: str) -> str:
    """Join texts. Two halves of a surrogate pair that meet become one character."""
    joined = before + text + after
    if _SURROGATE.search(before[-1:] + text + after[:1]):
        return _PAIR.sub(lambda pair: pair[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le"), joined)
    return joined
