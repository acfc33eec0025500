"""Which lines a change has changed: found in few comparisons, and never a line too many."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.next_edit.changed_lines import Span, changed_lines, parted

TEXTS = st.text(alphabet="ab \n", max_size=30)


@pytest.mark.parametrize(
    ("before", "after", "span"),
    [
        ("a\nb\nc", "a\nx\nc", Span(1, 2, 1, 2)),
        ("a\nb\n", "a\nx\nb\n", Span(1, 1, 1, 2)),
        ("    a\n    b\n", "    a\n    x\n    b\n", Span(1, 1, 1, 2)),
        ("a\nx\nb\n", "a\nb\n", Span(1, 2, 1, 1)),
        ("a\nb", "ab", Span(0, 2, 0, 1)),
        ("ab", "a\nb", Span(0, 1, 0, 2)),
        ("a", "a\n", Span(0, 1, 0, 2)),
        ("", "a", Span(0, 1, 0, 1)),
        ("ab\n", "aab\n", Span(0, 1, 0, 1)),
    ],
)
def test_lines_that_differ(before: str, after: str, span: Span) -> None:
    """Inserted and removed lines are only those; a changed line is whole."""
    assert changed_lines(before, after) == span


def test_equal_texts_have_no_change() -> None:
    """Then there is nothing to say."""
    assert changed_lines("a\nb", "a\nb") is None


@given(TEXTS, TEXTS)
def test_the_change_makes_one_text_the_other(before: str, after: str) -> None:
    """The lines of the span, put in their place, give the text after."""
    span = changed_lines(before, after) or Span(0, 0, 0, 0)
    old, new = before.split("\n"), after.split("\n")
    assert [*old[: span.old_first], *new[span.first : span.end], *old[span.old_end :]] == new


def test_a_change_of_many_places_is_parted() -> None:
    """Places with unchanged lines between them are parts of their own, with their own lines before and after."""
    before, after = "a\nb\nc\nd\ne\nf", "x\ny\nb\nc\nd\ne\nz"
    whole = changed_lines(before, after)
    assert whole is not None
    assert list(parted(whole, before, after, reach=1)) == [Span(0, 1, 0, 2), Span(5, 6, 6, 7)]


def test_near_places_are_one_part() -> None:
    """One unchanged line between them does not part them."""
    whole = changed_lines("a\nb\nc", "x\nb\nz")
    assert whole is not None
    assert list(parted(whole, "a\nb\nc", "x\nb\nz", reach=1)) == [Span(0, 3, 0, 3)]


@pytest.mark.timeout(60)
def test_very_long_change_is_not_compared_line_by_line() -> None:
    """Then it stays one part: comparing would take seconds."""
    before, after = "a\nb\n" * 20_000, "c\nb\n" * 20_000
    whole = changed_lines(before, after)
    assert whole is not None
    assert list(parted(whole, before, after, reach=1)) == [whole]
