"""Merging: several edits as one, and one as what really changes, come to the same text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.actions.checked_edit import Edit
from midfill.actions.hunks import hunks, merged

DOCUMENT = "a\nb\nc\nd\n"


def test_merged_edits_do_what_each_does() -> None:
    """In whichever order they come; what lies between stays."""
    edits = [Edit(3, 4, ("D",)), Edit(1, 1, ("x", "y"))]
    assert merged(edits, DOCUMENT).apply(DOCUMENT) == "a\nx\ny\nb\nc\nD\n"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_hunks_are_what_changes(newline: str) -> None:
    """Lines that are the same on both sides are in none."""
    edit = Edit(0, 4, ("a", "B", "c", "d", "e"))
    assert list(hunks(edit, DOCUMENT.replace("\n", newline))) == [Edit(1, 2, ("B",)), Edit(4, 4, ("e",))]


@given(st.lists(st.sampled_from("abc"), max_size=6), st.lists(st.sampled_from("abc"), max_size=6))
def test_hunks_come_to_the_same(before: list[str], after: list[str]) -> None:
    """Applied from the last to the first."""
    document = "".join(f"{line}\n" for line in before)
    edit = Edit(0, len(before), tuple(after))
    text = document
    for hunk in reversed(list(hunks(edit, document))):
        text = hunk.apply(text)
    assert text == edit.apply(document)


@pytest.mark.timeout(60)
def test_very_long_edits_are_not_compared() -> None:
    """To compare thousands of equal lines would take minutes."""
    edit = Edit(0, 20_000, ("}",) * 20_001)
    assert list(hunks(edit, "{\n}\n" * 10_000)) == [edit]
