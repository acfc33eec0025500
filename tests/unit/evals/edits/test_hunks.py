"""Hunks between two versions of a file."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from midfill.evals.edits.hunks import applied, hunks_between, possible_versions
from midfill.next_edit.difference import LineChange

TEXTS = st.lists(st.sampled_from(["", "a", "b", "c", "d = 1", "\ta"]), max_size=12).map("\n".join)


@given(TEXTS, TEXTS)
def test_hunks_make_the_later_version(before: str, after: str) -> None:
    """Whatever changed, all hunks together make it."""
    assert applied(before, hunks_between(before, after)) == after


def test_changes_that_nearly_touch_are_one_hunk() -> None:
    """One unchanged line does not part them; two do."""
    before = "a\nb\nc\nd\ne\nf\n"
    assert hunks_between(before, "A\nb\nC\nd\ne\nF\n") == [
        LineChange(0, ("a", "b", "c"), ("A", "b", "C")),
        LineChange(5, ("f",), ("F",)),
    ]


def test_versions_with_some_of_the_hunks() -> None:
    """Each choice once, the smallest first; with the first hunk in each, if that is asked for."""
    hunks = [LineChange(0, ("a",), ("A",)), LineChange(2, ("c",), ())]
    assert list(possible_versions("a\nb\nc", hunks, with_first=False)) == ["A\nb\nc", "a\nb", "A\nb"]
    assert list(possible_versions("a\nb\nc", hunks, with_first=True)) == ["A\nb\nc", "A\nb"]
    assert list(possible_versions("a\nb\nc", [], with_first=True)) == []
