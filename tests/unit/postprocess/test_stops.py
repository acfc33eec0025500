"""The stops: where a suggestion ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.postprocess.stops import (
    STOPS,
    find_stop,
    stop_at_dedent,
    stop_at_fence,
    stop_at_repeats,
    stop_at_suffix_line,
    stop_near_line_below,
)
from midfill.prompt.context import Context
from unit.helpers import context

CODE = st.text(alphabet="ab 1\n\t()[]{}\"'`\\,:;#_", max_size=40)


def cut(text: str, end: int | None) -> str:
    """Return ``text`` up to ``end``; all of it for None."""
    return text[:end]


def end_of(text: str, around: Context, max_lines: int, *, one_statement: bool = False) -> int | None:
    """Return only where ``text`` should end."""
    ending = find_stop(text, around, max_lines, one_statement=one_statement)
    return ending.end if ending else None


def test_line_that_stands_below_ends_the_suggestion() -> None:
    """The text ends before the line below."""
    below = context("def f():\n    ▮\n\n    return x\n")
    assert cut("x = 1\n    return x\nmore", stop_at_suffix_line("x = 1\n    return x\nmore", below)) == "x = 1"


def test_line_below_counts_with_its_indentation() -> None:
    """The same words with another indentation are another statement."""
    below = context("if a:\n    if b:\n        ▮\n    return x\n")
    assert stop_at_suffix_line("c()\n        return x\n", below) is None


def test_unfinished_line_does_not_stop() -> None:
    """``return x`` may become ``return xs``, so only a finished line is compared."""
    assert stop_at_suffix_line("a\nreturn x", context("▮\nreturn x\n")) is None


@pytest.mark.parametrize("below", ["}", ")", "]);", "", "   \n\n"])
def test_line_without_words_below_stops_nothing(below: str) -> None:
    """A closing bracket below is too common to end the text."""
    assert stop_at_suffix_line("a\n}\nb\n", context(f"▮\n{below}")) is None


def test_first_line_of_a_suggestion_is_never_the_line_below() -> None:
    """The suggestion's first line continues the cursor's line."""
    assert stop_at_suffix_line("total\n", context("x = ▮\ntotal\n")) is None


@pytest.mark.parametrize(
    ("below", "text", "left"),
    [
        ("# the sum\nreturn total(values)\n", "x = 1\nreturn total(values)\n", "x = 1"),
        ("\na = 1\n\nb = second(a)\n", "x = 1\nb = second(a)\n", "x = 1"),
        ("# the end\nbreak\n", "x = 1\nbreak\n", "x = 1\nbreak\n"),
        ("# again\nvalues.append(0)\n", "x = 1\nvalues.append(0)\n", "x = 1\nvalues.append(0)\n"),
        ("a\nb\nc\nreturn total(values)\n", "x = 1\nreturn total(values)\n", "x = 1\nreturn total(values)\n"),
    ],
    ids=["second", "third", "any code has it", "this code has it", "fourth"],
)
def test_distinct_lines_further_below_end_the_suggestion(below: str, text: str, left: str) -> None:
    """The second and the third line below count when they are distinct."""
    assert cut(text, stop_at_suffix_line(text, context(f"values.append(0)\n▮\n{below}"))) == left


@pytest.mark.parametrize(
    ("marked", "text", "left"),
    [
        ("▮\nresult = compute(first, second)\n", "x = 1\nresult = compute(first, last)\n", None),
        ("▮\nresult = compute(first, second)\n", "x = 1\nresult = compute(first, seconds)\n", "x = 1"),
        ("▮\n    result = compute(first)\n", "x = 1\nresult = compute(first)\n", None),
        ("▮\nx = 2\n", "a\nx = 1\n", None),
        ("    assert add(1, 2) == 3\n    ▮\n    assert add(4, 4) == 8\n", "x = 1\n    assert add(4, 5) == 9\n", None),
        ("▮\nresult = compute(first)\n", "x = 1\nresult = compute(firs", None),
    ],
    ids=["another argument", "one letter", "another block", "short", "series", "still being written"],
)
def test_line_nearly_equal_to_the_line_below_ends_the_suggestion(marked: str, text: str, left: str | None) -> None:
    """A small difference does not matter, except in a series of similar lines."""
    end = stop_near_line_below(text, context(marked))
    assert (None if end is None else text[:end]) == left


@pytest.mark.parametrize(
    ("marked", "text", "left"),
    [
        ("▮", "x += 1\nx += 1\nx += 1\n", "x += 1"),
        ("▮", "a = 0\nx += 1\n\nx += 1\n\nx += 1\n", "a = 0\nx += 1"),
        ("x +▮", "= 1\nx += 1\nx += 1\nmore", "= 1"),
        ("▮", "x += 1\nx += 1\n", None),
        ("▮", "x += 1\nx += 1\nx += 1", None),
        ("▮", "a\nb\na\nb\na\nb\n", None),
        ("▮", "\n\n\n\n", None),
    ],
    ids=["at once", "later, with blank lines", "cursor's line", "twice", "still being written", "in turns", "blank"],
)
def test_third_same_line_ends_the_suggestion_after_the_first(marked: str, text: str, left: str | None) -> None:
    """A model that repeats itself would not stop."""
    end = stop_at_repeats(text, context(marked))
    assert (None if end is None else text[:end]) == left


@pytest.mark.parametrize(
    ("marked", "text", "left"),
    [
        ("def f():\n    ▮", "return 1\n\ndef g():", "return 1\n"),
        ("def f():\n    x = ▮", "1\n    y = 2\nz", "1\n    y = 2"),
        ("    f(▮", "\n        a,\n    )\nb", "\n        a,\n    )"),
        ("if (a) {\n\t▮", "b();\n} else {\n\tc();\n}\nd();", "b();\n} else {\n\tc();\n}"),
        ("▮", "def f():\n    return 1\nf()", "def f():\n    return 1\nf()"),
        ("def f():\n▮", "    return 1\nf()", "    return 1"),
        ("def f():\n▮", "        if a:\n    return 1\n", "        if a:\n    return 1\n"),
        ("    ▮", "a\n\n\n    b", "a\n\n\n    b"),
        ("    ▮", "a\n  ", "a\n  "),
    ],
    ids=[
        "block over",
        "mid-line",
        "closing bracket",
        "closing brace",
        "column 0",
        "block at column 0",
        "inner block",
        "blank lines",
        "blank so far",
    ],
)
def test_line_indented_less_than_the_cursors_ends_the_suggestion(marked: str, text: str, left: str) -> None:
    """The text ends with its block; closing brackets may have less indentation."""
    assert cut(text, stop_at_dedent(text, context(marked))) == left


def test_markdown_fence_ends_the_suggestion() -> None:
    """After a fence the model explains the code instead of continuing it."""
    text = "return 1\n```\n\nThis function returns one."
    assert cut(text, stop_at_fence(text, context("def f():\n    ▮"))) == "return 1"


def test_markdown_fence_in_a_document_that_has_some_is_text() -> None:
    """A document with fences may get more of them."""
    assert stop_at_fence("x\n```\n", context("```\n▮")) is None


def test_markdown_fence_at_the_start_may_be_closed() -> None:
    """The first fence of a document is suggested whole."""
    assert stop_at_fence("```sh\nmake\n```\n", context("# Build\n\n▮\n")) is None
    assert stop_at_fence("`\nmake\n```\n", context("# Build\n\n``▮\n")) is None


@pytest.mark.parametrize(
    ("max_lines", "left"),
    [(1, "a"), (2, "a\nb"), (3, "a\nb\nc"), (4, "a\nb\nc\n"), (5, "a\nb\nc\n")],
)
def test_maximum_number_of_lines(max_lines: int, left: str) -> None:
    """The text ends before the newline of the first line beyond the maximum."""
    assert cut("a\nb\nc\n", end_of("a\nb\nc\n", context("▮"), max_lines)) == left


def test_ending_has_the_code_of_its_stop() -> None:
    """The maximum number of lines has a code, too."""
    assert find_stop("x)\n", context("f(▮)"), 1) == (1, "closer")
    assert find_stop("a\nb\n", context("▮"), 1) == (1, "lines")
    assert find_stop("a", context("▮"), 1) is None


def test_earliest_stop_counts() -> None:
    """When several stops apply, the first offset counts."""
    text = "a\nb)\nc"
    assert cut(text, end_of(text, context("f(▮)\nb)\n"), max_lines=1)) == "a"
    assert cut(text, end_of(text, context("f(▮)"), max_lines=3)) == "a\nb"


def test_statement_ends_a_suggestion_only_on_request() -> None:
    """Without ``one_statement`` the text does not end with the statement."""
    assert end_of("1\ny = 2\n", context("x = ▮"), 5) is None
    assert end_of("1\ny = 2\n", context("x = ▮"), 5, one_statement=True) == 1


@given(CODE, CODE, CODE, st.integers(1, 5))
def test_stop_is_a_place_in_the_text(prefix: str, suffix: str, text: str, max_lines: int) -> None:
    """Every stop returns an offset within the text, and the rest has at most the allowed lines."""
    around = Context(prefix, suffix, len(prefix))
    ends = [stop(text, around) for stop in STOPS.values()]
    assert all(end is None or 0 <= end <= len(text) for end in ends)
    assert cut(text, end_of(text, around, max_lines)).count("\n") < max_lines + (
        end_of(text, around, max_lines) is None
    )


@given(CODE, CODE, CODE, CODE, st.booleans())
def test_stopped_text_stays_stopped(prefix: str, suffix: str, text: str, more: str, one_statement: bool) -> None:
    """A stop that was found early is not lost when more text is generated."""
    around = Context(prefix, suffix, len(prefix))
    end = end_of(text, around, max_lines=3, one_statement=one_statement)
    later = end_of(text + more, around, max_lines=3, one_statement=one_statement)
    assert end is None or (later is not None and later <= end)
