"""Where an answer ends, and which of its lines are no change."""

from __future__ import annotations

import pytest

from midfill.next_edit.ending import has_reached_end, keep_white_space

WINDOW = "a = 1\nb = 2\nc = 3\nd = 4\ne = 5"


@pytest.mark.parametrize(
    ("text", "reached"),
    [
        ("a = 1\nb = 2\nc = 3\nd = 4\ne = 5\n", True),
        ("a = 1\nx = 2\nc = 3\nd = 4\ne = 5\n", True),
        ("a = 1\nb = 2\nc = 3\nd = 4\n", False),
        ("a = 1\nb = 2\nc = 3\nd = 4\ne = 6\n", False),
    ],
)
def test_the_window_s_last_lines_end_the_answer(text: str, reached: bool) -> None:
    """Whatever was changed before them."""
    assert has_reached_end(text, WINDOW) is reached


def test_lines_that_stand_there_twice_end_it_the_second_time() -> None:
    """Otherwise a window of like parts would be cut."""
    part = "f()\ng()\nh()\n"
    assert not has_reached_end(part, part + part.removesuffix("\n"))
    assert has_reached_end(part + part, part + part.removesuffix("\n"))


def test_blank_lines_do_not_end_it() -> None:
    """They are everywhere."""
    assert not has_reached_end("a\n\n\n\n", "a\n\n\n")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a = 1\n  b  =  2\nc = 9\nd = 4\ne = 5", "a = 1\nb = 2\nc = 9\nd = 4\ne = 5"),
        ("a = 1\n\nb = 2\nc = 3\nd = 4\ne = 5\n\n\n", WINDOW),
        ("a = 1\nb = 2\nnew\nc = 3\nd = 4\ne = 5", "a = 1\nb = 2\nnew\nc = 3\nd = 4\ne = 5"),
    ],
)
def test_white_space_is_kept_as_it_is(text: str, kept: str) -> None:
    """Where a line differs in nothing else, and where blank lines came or went."""
    assert keep_white_space(WINDOW, text) == kept
