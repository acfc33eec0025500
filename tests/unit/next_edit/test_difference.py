"""The smallest edits that make one text another one."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.next_edit.difference import LineChange, Replacement, line_changes, replacements

TEXTS = st.text(alphabet="ab (\n", max_size=40)


def applied(old: str, parts: list[Replacement]) -> str:
    """Return a text with all replacements."""
    for part in reversed(parts):
        old = old[: part.start] + part.text + old[part.end :]
    return old


@given(TEXTS, TEXTS)
def test_replacements_make_the_new_text(old: str, new: str) -> None:
    """They are in their order, and do not overlap."""
    parts = replacements(old, new)
    assert applied(old, parts) == new
    assert all(one.end <= other.start for one, other in itertools.pairwise(parts))


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("f(a, b)", "f(a, b, c)", [Replacement(6, 6, ", c")]),
        ("x = r * r", "x = radius * radius", [Replacement(4, 5, "radius"), Replacement(8, 9, "radius")]),
        ("a\nb\nc", "a\nc", [Replacement(2, 4, "")]),
        ("a\nb", "a", [Replacement(1, 3, "")]),
        ("a", "a\nb", [Replacement(1, 1, "\nb")]),
        ("a\nc", "a\nb\nc", [Replacement(2, 2, "b\n")]),
        ("return nothing", "raise ValueError(name)", [Replacement(0, 14, "raise ValueError(name)")]),
        ("a", "a", []),
    ],
)
def test_only_what_differs_is_replaced(old: str, new: str, parts: list[Replacement]) -> None:
    """Names change as wholes, and a line that has become another one is replaced whole."""
    assert replacements(old, new) == parts


def test_lines_that_differ() -> None:
    """Each change has the old lines and the new ones."""
    assert line_changes("a\nb\nc", "a\nx\ny\nc") == [LineChange(1, ("b",), ("x", "y"))]


@pytest.mark.timeout(60)
def test_very_long_line_is_replaced_whole() -> None:
    """Its parts are not compared: that would take seconds."""
    old, new = "a b " * 20_000, "a c " * 20_000
    assert replacements(old, new) == [Replacement(0, len(old), new)]
