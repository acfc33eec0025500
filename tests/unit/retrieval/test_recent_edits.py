"""The chunks that the user edited or looked at recently."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from midfill.retrieval.recent_edits import RecentEdits


def _text(name: str, lines: int = 100) -> str:
    return "\n".join(f"{name}_{n} = {name}_call_{n}(argument_{name}_{n})" for n in range(lines))


def test_lines_around_the_cursor() -> None:
    """A chunk has 64 lines wherever the cursor is, or all lines of a shorter document."""
    recent = RecentEdits()
    recent.add("a", _text("aaa"), 50)
    recent.add("b", _text("bbb"), 0)
    recent.add("c", _text("ccc"), 99)
    recent.add("d", _text("ddd", 5), 3)
    assert [(c.path, c.first_line, c.last_line) for c in recent.besides("")] == [
        ("d", 0, 4), ("c", 36, 99), ("b", 0, 63), ("a", 18, 81),
    ]  # fmt: skip


def test_same_place_and_same_text_are_kept_once() -> None:
    """The later version replaces the earlier one; another place of the same document is another chunk."""
    recent = RecentEdits()
    recent.add("a", _text("aaa", 400), 50)
    recent.add("a", _text("aaa", 400).replace("_call_", "_cry_"), 60)
    recent.add("a", _text("aaa", 400), 300)
    assert [chunk.first_line for chunk in recent.besides("b")] == [268, 28]
    recent.add("copy", _text("aaa", 400), 300)
    assert [chunk.path for chunk in recent.besides("b")] == ["copy", "a"]


def test_chunks_of_the_document_itself_are_left_out() -> None:
    """The prompt contains the document anyway."""
    recent = RecentEdits()
    recent.add("a", _text("aaa", 20), 5)
    recent.add("b", _text("bbb", 20), 5)
    assert [chunk.path for chunk in recent.besides("a")] == ["b"]


def test_text_without_words_is_not_remembered() -> None:
    """Empty documents and lines without words give no chunk."""
    recent = RecentEdits()
    recent.add("a", "", 0)
    recent.add("b", "\n\n{\n}\n", 2)
    recent.add("c", _text("c", 3), -7)
    recent.add("d", _text("ddd", 3), 10**9)
    assert [chunk.path for chunk in recent.besides("")] == ["d", "c"]
    recent.forget("d")
    recent.forget("unknown")
    assert [chunk.path for chunk in recent.besides("")] == ["c"]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 500)), max_size=60))
def test_bounded(places: list[tuple[int, int]]) -> None:
    """There are at most 16 chunks of at most 8,000 characters."""
    recent = RecentEdits()
    for document, line in places:
        recent.add(str(document), _text(f"name{document}", 500).replace("argument", "x" * 200), line)
    chunks = recent.besides("")
    assert len(chunks) <= 16
    assert all(len(chunk.text) <= 8_000 for chunk in chunks)
    assert not places or chunks[0].path == str(places[-1][0])
