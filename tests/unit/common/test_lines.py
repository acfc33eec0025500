"""Lines of a text, compared with a list of all of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from midfill.common.lines import (
    MAX_PARSED_LINE_CHARACTERS,
    count_lines,
    lines_between,
    offset_of_line,
    without_long_ends,
)

_TEXTS = st.text("ab\n\r\x0c\u2028")


def _lines(text: str) -> list[str]:
    parts = [f"{line}\n" for line in text.split("\n")]
    return [part for part in [*parts[:-1], parts[-1][:-1]] if part]


@given(_TEXTS, st.integers(0, 9), st.integers(0, 9))
def test_lines_are_those_of_a_list(text: str, first: int, count: int) -> None:
    """Only a newline ends a line, and a line that is not there begins at the end."""
    lines = _lines(text)
    assert count_lines(text) == len(lines)
    assert offset_of_line(text, first) == len("".join(lines[:first]))
    assert lines_between(text, first, first + count) == "".join(lines[first : first + count])


def test_long_lines_end_early_for_a_parser() -> None:
    """All lines stay where they are."""
    long = "x" * MAX_PARSED_LINE_CHARACTERS
    assert without_long_ends(f"a\n{long}yy\nb\n{long}\n") == f"a\n{long}\nb\n{long}\n"
