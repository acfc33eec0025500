"""Documents: lines, positions in every encoding, and changes."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from midfill.lsp.text_document import Document

ENCODINGS = ["utf-8", "utf-16", "utf-32"]


def document(text: str, encoding: str = "utf-16") -> Document:
    """Open a document."""
    return Document(text, language="python", encoding=encoding)


def at(line: int, character: int) -> types.Position:
    """Name a position."""
    return types.Position(line=line, character=character)


def edit(start: tuple[int, int], end: tuple[int, int], text: str) -> types.TextDocumentContentChangePartial:
    """Put a text in place of a range."""
    return types.TextDocumentContentChangePartial(range=types.Range(start=at(*start), end=at(*end)), text=text)


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 9), ("utf-16", 6), ("utf-32", 5)])
def test_column_counts_the_units_of_the_encoding(encoding: str, column: int) -> None:
    """After ``é = 😀`` the cursor's column is in bytes, in utf-16 units or in code points, as agreed."""
    opened = document("x\né = 😀!", encoding)
    offset = opened.text.index("!")
    assert opened.position_at(offset) == at(1, column)
    assert opened.offset_at(at(1, column)) == offset


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("text", ["", "\n", "abc", "abc\n", "é😀\r\nz\rß\n\n", "a\x0cb\u2028c\x85d\ne"])
def test_every_offset_survives_the_way_there_and_back(text: str, encoding: str) -> None:
    """Each offset has a position, and that position leads back to it."""
    opened = document(text, encoding)
    offsets = range(len(opened.text) + 1)
    assert [opened.offset_at(opened.position_at(offset)) for offset in offsets] == list(offsets)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    ("position", "offset"),
    [(at(0, 99), 3), (at(1, 99), 6), (at(2, 0), 6), (at(7, 5), 6)],
    ids=["beyond a line", "beyond the last line's end", "one line too far", "far outside"],
)
def test_position_outside_is_clamped(position: types.Position, offset: int, encoding: str) -> None:
    """A column beyond its line is at that line's end, a line beyond the document at the document's end."""
    assert document("abc\nde", encoding).offset_at(position) == offset


def test_middle_of_a_surrogate_pair_is_a_whole_character() -> None:
    """A utf-16 column inside an emoji does not split it."""
    assert document("😀x").offset_at(at(0, 1)) == 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_are_read_alike(end: str) -> None:
    r"""Whatever ends a line in the file, the text has ``\n`` there and positions are the same."""
    opened = document(f"one{end}two")
    assert opened.text == "one\ntwo"
    assert opened.offset_at(at(1, 1)) == 5


@pytest.mark.parametrize("separator", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_only_lsp_line_ends_end_a_line(separator: str) -> None:
    """Characters at which Python would break a line do not move what follows into another line."""
    opened = document(f"a{separator}b\nc")
    assert opened.offset_at(at(1, 0)) == 4
    assert opened.changed(edit((1, 0), (1, 1), "C")).text == f"a{separator}b\nC"


def test_lone_surrogate_becomes_the_replacement_character() -> None:
    """Half an emoji, which no tokenizer accepts, is replaced by a character of the same width."""
    assert document("\ud83dx").text == "\ufffdx"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (edit((0, 1), (0, 2), "XY"), "aXYc\ndef\n"),
        (edit((0, 3), (1, 0), ""), "abcdef\n"),
        (edit((2, 0), (2, 0), "end"), "abc\ndef\nend"),
        (edit((0, 0), (9, 9), "\r\n"), "\n"),
        (edit((1, 99), (99, 99), "!"), "abc\ndef!"),
        (edit((1, 2), (0, 0), "-"), "abc\nde-f\n"),
        (types.TextDocumentContentChangeWholeDocument(text="new\r\n"), "new\n"),
    ],
    ids=["replace", "join lines", "append", "replace all", "out of range", "backward range", "whole document"],
)
def test_change(change: types.TextDocumentContentChangeEvent, expected: str) -> None:
    """A change applies to its range, clamped to the document, and leaves the version before it alone."""
    before = document("abc\ndef\n")
    assert before.changed(change).text == expected
    assert before.text == "abc\ndef\n"


def test_change_after_non_bmp_text_lands_where_the_client_meant() -> None:
    """An edit right after an emoji under utf-16 neither splits it nor lands one character off."""
    assert document("s = '😀'\n").changed(edit((0, 7), (0, 7), "!")).text == "s = '😀!'\n"


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ([edit((0, 1), (0, 1), "\ud83d"), edit((0, 2), (0, 2), "\ude00")], "a😀b"),
        ([edit((0, 1), (0, 1), "\ude00"), edit((0, 1), (0, 1), "\ud83d")], "a😀b"),
        ([edit((0, 1), (0, 1), "😀"), edit((0, 2), (0, 3), "\ude01")], "a😁b"),
        ([edit((0, 1), (0, 1), "😀"), edit((0, 1), (0, 2), "")], "a\ufffdb"),
        ([edit((0, 1), (0, 1), "😀"), edit((0, 2), (0, 2), "-")], "a\ufffd-\ufffdb"),
        ([edit((0, 1), (0, 1), "😀"), edit((0, 2), (0, 2), "-"), edit((0, 2), (0, 3), "")], "a😀b"),
        ([edit((0, 1), (0, 1), "\ud83d\ude00")], "a😀b"),
    ],
    ids=["high half first", "low half first", "low half replaced", "high half deleted", "split", "healed", "at once"],
)
def test_halves_of_a_surrogate_pair(edits: Sequence[types.TextDocumentContentChangePartial], expected: str) -> None:
    """An edit in utf-16 may end between them; they are one character as soon as they stand together."""
    opened = document("ab")
    for each in edits:
        opened = opened.changed(each)
    assert opened.text == expected
    assert opened.position_at(len(expected)) == at(0, len(expected.encode("utf-16-le")) // 2)


def test_halves_of_a_line_end() -> None:
    r"""A ``\r`` and a ``\n`` of two edits are one line end, and a ``\n`` put before a ``\r\n`` is another one."""
    opened = document("ab\ncd").changed(edit((0, 2), (0, 2), "\r"))
    assert opened.text == "ab\ncd"
    assert opened.changed(edit((1, 0), (1, 1), "C")).text == "ab\nCd"
    assert opened.changed(edit((0, 2), (0, 2), "\n")).text == "ab\n\ncd"
    assert document("ab").changed(edit((0, 1), (0, 1), "\r")).changed(edit((1, 0), (1, 0), "\n")).text == "a\nb"


TEXTS = st.text(st.sampled_from(["a", "é", "😀", "\ud83d", "\ude00", "\r", "\n"]), max_size=5)
PLACES = st.tuples(st.integers(0, 4), st.integers(0, 6))


@given(st.lists(st.tuples(PLACES, PLACES, TEXTS), max_size=6))
def test_text_is_that_of_a_client_with_utf16(
    edits: Sequence[tuple[tuple[int, int], tuple[int, int], str]],
) -> None:
    """Any edits give the text that a client has which keeps utf-16 units."""
    opened, units = document(""), ""
    for start, end, new in edits:
        opened = opened.changed(edit(start, end, new))
        first, last = unit_at(units, start), unit_at(units, end)
        units = units[:first] + units_of(new) + units[max(first, last) :]
    text = units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    assert opened.text == re.sub("[\ud800-\udfff]", "\ufffd", re.sub("\r\n?", "\n", text))


def units_of(text: str) -> str:
    """Return a text with one character for each utf-16 unit."""
    data = text.encode("utf-16-le", "surrogatepass")
    return "".join(data[at : at + 2].decode("utf-16-le", "surrogatepass") for at in range(0, len(data), 2))


def unit_at(units: str, place: tuple[int, int]) -> int:
    """Return the offset of a position in utf-16 units."""
    lines = [(found.start(), found.end("text")) for found in re.finditer(r"(?P<text>[^\r\n]*)(?:\r\n?|\n|$)", units)]
    if units and units[-1] not in "\r\n":
        lines.pop()  # the expression also finds the end of the last line
    line, column = place
    return min(lines[line][0] + column, lines[line][1]) if line < len(lines) else len(units)
