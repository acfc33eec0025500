"""Documents: lines, positions in every encoding, and changes."""

from __future__ import annotations

import pytest
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
