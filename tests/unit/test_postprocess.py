"""The filters: where a suggestion ends, what is cut off its end, and when it is not worth showing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.context import Context
from midfill.postprocess import (
    DROPS,
    STOPS,
    find_stop,
    reason_to_drop,
    stop_at_closer,
    stop_at_dedent,
    stop_at_fence,
    stop_at_statement,
    stop_at_suffix_line,
    trim,
    trim_start,
    trim_suffix_overlap,
)
from unit.helpers import context

CODE = st.text(alphabet="ab 1\n\t()[]{}\"'`\\,:;#_", max_size=40)


def cut(text: str, end: int | None) -> str:
    """Return what is left when ``text`` ends at ``end``."""
    return text[:end]


def test_line_that_stands_below_ends_the_suggestion() -> None:
    """What the document has below the cursor is not written again."""
    below = context("def f():\n    ▮\n\n    return x\n")
    assert cut("x = 1\n    return x\nmore", stop_at_suffix_line("x = 1\n    return x\nmore", below)) == "x = 1"


def test_line_below_counts_with_its_indentation() -> None:
    """The same words in another block are another statement."""
    below = context("if a:\n    if b:\n        ▮\n    return x\n")
    assert stop_at_suffix_line("c()\n        return x\n", below) is None


def test_line_still_being_written_does_not_stop() -> None:
    """``return x`` may become ``return xs``: only a line that has ended is compared."""
    assert stop_at_suffix_line("a\nreturn x", context("▮\nreturn x\n")) is None


@pytest.mark.parametrize("below", ["}", ")", "]);", "", "   \n\n"])
def test_line_without_words_below_stops_nothing(below: str) -> None:
    """A closing bracket below is no sign that the suggestion has come to the document's own."""
    assert stop_at_suffix_line("a\n}\nb\n", context(f"▮\n{below}")) is None


def test_first_line_of_a_suggestion_is_never_the_line_below() -> None:
    """The suggestion's first line continues the cursor's line."""
    assert stop_at_suffix_line("total\n", context("x = ▮\ntotal\n")) is None


@pytest.mark.parametrize(
    ("marked", "text", "left"),
    [
        ("def f():\n    ▮", "return 1\n\ndef g():", "return 1\n"),
        ("def f():\n    x = ▮", "1\n    y = 2\nz", "1\n    y = 2"),
        ("    f(▮", "\n        a,\n    )\nb", "\n        a,\n    )"),
        ("if (a) {\n\t▮", "b();\n} else {\n\tc();\n}\nd();", "b();\n} else {\n\tc();\n}"),
        ("▮", "def f():\n    return 1\nf()", "def f():\n    return 1\nf()"),
        ("    ▮", "a\n\n\n    b", "a\n\n\n    b"),
        ("    ▮", "a\n  ", "a\n  "),
    ],
    ids=["block over", "mid-line", "closing bracket", "closing brace", "column 0", "blank lines", "blank so far"],
)
def test_line_indented_less_than_the_cursors_ends_the_suggestion(marked: str, text: str, left: str) -> None:
    """A suggestion stays in the block it began in; closing brackets may stand further left, at column 0 all may."""
    assert cut(text, stop_at_dedent(text, context(marked))) == left


@pytest.mark.parametrize(
    ("marked", "text", "left"),
    [
        ("def add(▮)", "a, b):\n    return a + b", "a, b"),
        ("def add(▮):\n", "a, b):\n    return a + b", "a, b"),
        ("total = sum(▮)\n", "x for x in (1, 2))\nprint()", "x for x in (1, 2)"),
        ("f(g(▮))", "a[0]))\n", "a[0]"),
        ("f(g(▮)", "x))\ny", "x)"),
        ("constructor(▮) {}", "a) { this.a = a; }", "a"),
        ("x = [▮]", "\n    1,\n    2,\n]\nprint(x)", "\n    1,\n    2,\n"),
        ("forEach(▮)", "(x) => {\n  use(x);\n});\nmore", "(x) => {\n  use(x);\n}"),
        ("f(\n    ▮\n)\ng()", "a,\n    b,\n)\ng()", "a,\n    b,\n"),
        ("function f() {\n  ▮\n}\n", "return 1;\n}\n\nfunction g() {", "return 1;\n"),
        ("function f() {▮\n}\n", "\n  return 1;\n}\n", "\n  return 1;\n"),
        ("function f() {\n  if (x) {\n    ▮\n}\n", "y();\n  }\n  z();\n}\n", "y();\n  }\n  z();\n"),
        ("f(g(▮\n)", "x),\n    y\n)", "x),\n    y\n"),
        ("print(▮)", "':)')\n", "':)'"),
        ("print(▮)", "':)", "':)"),
        ("print(▮)", "'\\", "'\\"),
        ("f(▮)", "a # don't)\n", "a # don't"),
    ],
    ids=[
        "parameters", "with colon", "own brackets", "two", "one of two", "brace after", "lines", "callback",
        "own line", "brace below", "brace below the opening line", "other block's brace", "one in line", "string",
        "open string", "open escape", "apostrophe",
    ],
)  # fmt: skip
def test_bracket_that_comes_next_in_the_document_ends_the_suggestion(marked: str, text: str, left: str) -> None:
    """Where the editor has closed the bracket already, the suggestion fills it and does not go on after it."""
    assert cut(text, stop_at_closer(text, context(marked))) == left


@pytest.mark.parametrize(
    ("marked", "text"),
    [
        ("f(▮", "x)\ny"),
        ("f(▮\nprint()", "x)\ny"),
        ("x = ▮, 1)", "f(2)"),
        ("f(▮)", "g(x)"),
        ("f(▮)", "a[(0)]}"),
        ("'it' + ▮'s'", "'a' + 'b'"),
    ],
    ids=["not closed", "other code next", "comma next", "its own bracket", "another kind", "string follows"],
)
def test_bracket_the_document_lacks_does_not_end_the_suggestion(marked: str, text: str) -> None:
    """A bracket or quote that the suggestion opened, or that nobody closes, is the suggestion's to write."""
    assert stop_at_closer(text, context(marked)) is None


@pytest.mark.parametrize(
    ("marked", "text", "left"),
    [
        ('print("▮")', 'Hello")\n', "Hello"),
        ('print("▮")', 'say \\"hi\\"")', 'say \\"hi\\"'),
        ('"""▮"""', 'Say "hi"."""\nx', 'Say "hi".'),
        ("x = 'a' + '▮'", "b' + 'c'", "b"),
        ("print(\"a = '▮'\")", "b'\")", "b"),
        ("f('▮", "a')", "a')"),
    ],
    ids=["string", "escaped", "docstring", "second string", "quote in a string", "not closed"],
)
def test_quote_that_comes_next_in_the_document_ends_the_suggestion(marked: str, text: str, left: str) -> None:
    """Within a string that is closed already, the suggestion ends with the string."""
    assert cut(text, stop_at_closer(text, context(marked))) == left


def test_markdown_fence_ends_the_suggestion() -> None:
    """A model that closes a code block and explains has left the document."""
    text = "return 1\n```\n\nThis function returns one."
    assert cut(text, stop_at_fence(text, context("def f():\n    ▮"))) == "return 1"


def test_markdown_fence_in_a_document_that_has_some_is_text() -> None:
    """In Markdown, fences are what one writes."""
    assert stop_at_fence("x\n```\n", context("```\n▮")) is None


@pytest.mark.parametrize(
    ("max_lines", "left"),
    [(1, "a"), (2, "a\nb"), (3, "a\nb\nc"), (4, "a\nb\nc\n"), (5, "a\nb\nc\n")],
)
def test_suggestion_has_at_most_so_many_lines(max_lines: int, left: str) -> None:
    """The line that is one too many is not begun."""
    assert cut("a\nb\nc\n", find_stop("a\nb\nc\n", context("▮"), max_lines)) == left


def test_earliest_stop_counts() -> None:
    """Of several reasons to end, the first in the text decides."""
    text = "a\nb)\nc"
    assert cut(text, find_stop(text, context("f(▮)\nb)\n"), max_lines=1)) == "a"
    assert cut(text, find_stop(text, context("f(▮)"), max_lines=3)) == "a\nb"


@pytest.mark.parametrize(
    ("marked", "text", "left"),
    [
        ("    ▮", "\n\n    a\n\n    b", "a\n\n    b"),
        ("    ▮", "\n        a", "    a"),
        ("▮", "\n    a", "    a"),
        ("    ▮", "\n\n  ", ""),
        ("    ▮", "\na()", "\na()"),
        ("x:▮", "\n    a", "\n    a"),
        ("    ▮", "a\n", "a\n"),
    ],
    ids=["empty lines", "deeper", "column 0", "so far", "block over", "not empty", "nothing to skip"],
)
def test_empty_lines_before_a_suggestion_on_an_empty_line_are_skipped(marked: str, text: str, left: str) -> None:
    """The suggestion begins on the empty line where the cursor stands, unless the block ends there."""
    assert trim_start(text, context(marked)) == left


@pytest.mark.parametrize(
    ("marked", "text", "left"),
    [
        ("print(▮)", "foo(x)", "foo(x)"),
        ("print(▮)", "foo(x))", "foo(x)"),
        ("foo(▮)", "x)", "x"),
        ("foo(bar(▮))", "x))", "x"),
        ("foo(bar(▮))", "baz(x))", "baz(x)"),
        ("foo(bar(▮))", "baz(x)))", "baz(x)"),
        ("foo([▮])", "a[0]])", "a[0]"),
        ("f(▮)", "a) + (b)", "a) + (b"),
        ('print("▮")', 'hello")', "hello"),
        ('print("▮")', 'hello"', "hello"),
        ("x = ▮'abc'", "'x', 'y'", "'x', 'y'"),
        ("return ▮value", "self.value", "self."),
        ("f(▮, b)", "a, b)", "a"),
        ("x = ▮ + 1", "y ", "y"),
        ("f(▮)   ", "x)", "x"),
        ("f(▮)", "\n    x,\n)", "\n    x,\n"),
        ("f(▮)", "", ""),
        ("f(▮", "x)", "x)"),
        ("x = ▮;", "1", "1"),
    ],
)
def test_rest_of_the_line_is_not_suggested_again(marked: str, text: str, left: str) -> None:
    """What stands right of the cursor is cut off the end, unless it closes what the suggestion itself opened."""
    assert trim_suffix_overlap(text, context(marked)) == left


def test_last_line_that_stands_below_is_cut_off() -> None:
    """A suggestion whose end, without a newline, is the line below ends before it."""
    assert trim("x = 1\nreturn x", context("▮\nreturn x\n")) == "x = 1"


def test_white_space_is_cut_off_at_the_end_of_a_line_only() -> None:
    """Where the line goes on, the space between is wanted."""
    assert trim("a \n\n", context("▮\nb")) == "a"
    assert trim("a = ", context("▮b()")) == "a = "


@pytest.mark.parametrize(
    ("marked", "text", "reason"),
    [
        ("▮", "", "blank"),
        ("▮", " \n\t", "blank"),
        ("    ▮\n    return x\n", "return x", "suffix-repeat"),
        ("▮\n\n  return x\n", "  return x  ", "suffix-repeat"),
        ("re▮\n\nreturn x\n", "turn x", "suffix-repeat"),
        ("        ▮\n    return x\n", "return x", ""),
        ("if a: ▮\nreturn x\n", "return x", ""),
        ("▮\n}\n", "}", ""),
        ("▮\nreturn x\n", "return y", ""),
        ("▮", "return x", ""),
    ],
)
def test_reason_not_to_show_a_suggestion(marked: str, text: str, reason: str) -> None:
    """Nothing, and the line that follows at the same indentation, are not shown; the reason has a code."""
    assert reason_to_drop(text, context(marked)) == reason


@pytest.mark.parametrize(
    ("marked", "text", "left"),
    [
        ("total = ▮", "a + b\nprint(total)\n", "a + b"),
        ("    total = ▮", "f(\n        a,\n    )\n    print(total)\n", "f(\n        a,\n    )"),
        ("for x in ▮", "xs:\n    use(x)\n\nprint()\n", "xs:\n    use(x)\n"),
        ("if ▮", "a:\n    b()\nelse:\n    c()\nd()\n", "a:\n    b()\nelse:\n    c()"),
        ("function f(▮", "x) {\n  return x;\n}\nf(1);\n", "x) {\n  return x;\n}"),
        ("total = a ▮", "+\\\n    b\nc\n", "+\\\n    b"),
        ("# the ▮", "sum of:\nx = 1\n", "sum of:"),
        ("let x = a▮", ".map(b,\n  c)\n  .d()\ne()\n", ".map(b,\n  c)\n  .d()"),
        ("if ▮", "a:\n    b()\nel", "a:\n    b()\nel"),
        ("total = ▮", "a + b", "a + b"),
        ("    ▮", "a = 1\n    b = 2\n", "a = 1\n    b = 2\n"),
    ],
    ids=[
        "one line", "brackets", "block", "else", "braces", "line joined", "comment", "method chain",
        "a word that may become else", "still on its line", "empty line",
    ],
)  # fmt: skip
def test_end_of_the_statement_on_the_line(marked: str, text: str, left: str) -> None:
    """Who types on a line gets the rest of its statement, with the block it opens; on an empty line all is welcome."""
    assert cut(text, stop_at_statement(text, context(marked))) == left


def test_statement_ends_a_suggestion_only_where_that_is_wanted() -> None:
    """Somebody who asks outright gets all there is."""
    assert find_stop("1\ny = 2\n", context("x = ▮"), 5) is None
    assert find_stop("1\ny = 2\n", context("x = ▮"), 5, one_statement=True) == 1


@given(CODE, CODE, CODE)
def test_trimming_only_shortens(prefix: str, suffix: str, text: str) -> None:
    """What is left is how the text began, or how it ended."""
    around = Context(prefix, suffix, len(prefix))
    assert text.startswith(trim(text, around))
    assert text.endswith(trim_start(text, around))


@given(CODE, CODE, CODE, st.integers(1, 5))
def test_stop_is_a_place_in_the_text(prefix: str, suffix: str, text: str, max_lines: int) -> None:
    """Every stop names an offset of the text, and what is left has no more than the lines allowed."""
    around = Context(prefix, suffix, len(prefix))
    ends = [stop(text, around) for stop in STOPS.values()]
    assert all(end is None or 0 <= end <= len(text) for end in ends)
    assert cut(text, find_stop(text, around, max_lines)).count("\n") < max_lines + (
        find_stop(text, around, max_lines) is None
    )


@given(CODE, CODE, CODE, CODE, st.booleans())
def test_stopped_text_stays_stopped(prefix: str, suffix: str, text: str, more: str, one_statement: bool) -> None:
    """A stop found while the text streams out holds for all that may still come."""
    around = Context(prefix, suffix, len(prefix))
    end = find_stop(text, around, max_lines=3, one_statement=one_statement)
    later = find_stop(text + more, around, max_lines=3, one_statement=one_statement)
    assert end is None or (later is not None and later <= end)


def test_codes_are_told_apart() -> None:
    """Each filter has a reason code of its own."""
    assert len({*STOPS, *DROPS}) == len(STOPS) + len(DROPS)
