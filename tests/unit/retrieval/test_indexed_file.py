"""What the index keeps of one file."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from midfill.code.languages import language_of
from midfill.privacy.secrets import RedactedText
from midfill.retrieval.indexed_file import index_text, split_chunks


def test_definitions_and_chunks() -> None:
    """The definitions can be read back; each chunk has its lines and its number of terms."""
    file = index_text("a.py", (1, 2), RedactedText("def first(): pass\n\n\ndef second(): pass\n"), language_of("a.py"))
    assert [definition.name for definition in file.definitions()] == ["first", "second"]
    assert sorted(file.names) == ["first", "second"]
    assert file.chunks.tolist() == [[0, 4, 4]]
    assert len(file.terms) == 4


def test_chunk_without_words_is_left_out() -> None:
    """An empty file has no chunks, but still takes memory."""
    file = index_text("a.py", (1, 2), RedactedText("\n\n"), language_of("a.py"))
    assert (file.chunks.shape, len(file.terms)) == ((0, 3), 0)
    assert file.bytes > 0


@settings(max_examples=50)
@given(st.lists(st.sampled_from(["x = 1", "", "    y = 2"]), min_size=1, max_size=150))
def test_chunks_cover_all_lines_once(lines: list[str]) -> None:
    """Each line is in exactly one chunk, and no chunk has more than 32 lines."""
    chunks = list(split_chunks(lines))
    assert [line for first, last in chunks for line in range(first, last + 1)] == list(range(len(lines)))
    assert all(0 <= last - first < 32 for first, last in chunks)
