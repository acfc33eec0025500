"""Documents as differences: what is written gives the same documents when it is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.recording.events import Question, Replacement
from midfill.recording.texts import TextReader, TextWriter

VISITS = st.lists(st.tuples(st.sampled_from(["a.py", "b.py"]), st.text("ab\n", max_size=12)), max_size=8)


def question(path: str, edit: Replacement, offset: int = 0) -> Question:
    """Make a question about a document."""
    return Question(path=path, language="python", automatic=True, alternatives=1, offset=offset, edit=edit)


@given(VISITS)
def test_documents_come_back(visits: list[tuple[str, str]]) -> None:
    """Whatever the user does to one document or another, each version is read as it was written."""
    writer, reader = TextWriter(), TextReader()
    read = [reader.text_of(question(path, writer.edit_to(path, text))) for path, text in visits]
    assert read == [text for _, text in visits]


def test_a_key_is_a_small_edit() -> None:
    """Of a document that was written before, only the new character is written."""
    writer = TextWriter()
    writer.edit_to("a.py", "def f():\n    retur\n")
    assert writer.edit_to("a.py", "def f():\n    return\n") == Replacement(start=18, end=18, text="n")


@pytest.mark.parametrize(
    ("edit", "offset"),
    [
        (Replacement(start=0, end=1, text=""), 0),
        (Replacement(start=-1, end=0, text=""), 0),
        (Replacement(start=1, end=0, text=""), 0),
        (Replacement(start=0, end=0, text="abc"), 4),
        (Replacement(start=0, end=0, text="abc"), -1),
    ],
    ids=["end beyond", "start before", "backwards", "cursor beyond", "cursor before"],
)
def test_places_that_are_not_there_are_refused(edit: Replacement, offset: int) -> None:
    """An edit and a cursor must be within the document."""
    with pytest.raises(ValueError, match=r"^$"):
        TextReader().text_of(question("a.py", edit, offset))
