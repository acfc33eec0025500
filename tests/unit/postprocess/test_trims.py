"""The trims: what is cut from the start and the end of a suggestion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.postprocess.trims import TRIMS, trim_half_fence, trim_start, trim_suffix_overlap
from midfill.prompt.context import Context
from unit.helpers import context

CODE = st.text(alphabet="ab 1\n\t()[]{}\"'`\\,:;#_", max_size=40)


def trim(text: str, around: Context) -> str:
    """Apply all trims in order."""
    for each in TRIMS.values():
        text = each(text, around)
    return text


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
        ("\t▮", "\n    a\n    b", "a\n    b"),
        ("    ▮", "\n\ta", "a"),
        ("\t▮", "\n  ", ""),
    ],
    ids=[
        "empty lines",
        "deeper",
        "column 0",
        "so far",
        "block over",
        "not empty",
        "nothing to skip",
        "spaces for a tab",
        "tab for spaces",
        "spaces so far",
    ],
)
def test_empty_lines_before_a_suggestion_on_an_empty_line_are_skipped(marked: str, text: str, left: str) -> None:
    """On an empty line the text begins at the cursor, unless the block has ended."""
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
    """Text that follows the cursor is cut from the end, unless it closes what the suggestion opened."""
    assert trim_suffix_overlap(text, context(marked)) == left


@pytest.mark.parametrize(
    ("marked", "text", "left"),
    [
        ("▮", "make\n``", "make"),
        ("▮", "make\n  `", "make"),
        ("```sh\n▮", "make\n``", "make"),
        ("▮", "``", ""),
        ("`▮", "``", "``"),
        ("```sh\n▮", "make\n```", "make\n```"),
        ("▮", "Build:\n\n```sh\nmake", "Build:\n\n"),
        ("▮", "```sh\nmake\n```\n\n```sh\nmake test", "```sh\nmake\n```\n\n"),
        ("▮", "```sh\nmake", "```sh\nmake"),
        ("▮\n```\n", "Build:\n\n```sh\nmake", "Build:\n\n```sh\nmake"),
        ("x = `▮", "a\n`", "a\n`"),
        ("▮", "x = `a\n`", "x = `a\n`"),
        ("▮", "run `make`", "run `make`"),
    ],
    ids=[
        "two",
        "one",
        "document with fences",
        "alone",
        "begun",
        "whole",
        "code without end",
        "second code without end",
        "nothing before it",
        "end stands below",
        "string",
        "own string",
        "within a line",
    ],
)
def test_half_a_fence_is_cut_off(marked: str, text: str, left: str) -> None:
    """A limit may come within a fence; a backtick that closes a string is kept."""
    assert trim_half_fence(text, context(marked)) == left


@pytest.mark.parametrize(
    ("marked", "text", "left"),
    [
        ("<div>▮</div>", "<div>a</div>", "<div>a</div>"),
        ("<div>▮</div>", "a</di", "a"),
        ("a: List<▮>", "Map<K, V>", "Map<K, V>"),
        ("**▮** more", "bold**", "bold"),
        ("f(function() ▮ end)", "if a then b end", "if a then b end"),
    ],
)
def test_mark_that_the_suggestion_opened_is_kept(marked: str, text: str, left: str) -> None:
    """The same holds for tags and other marks as for brackets."""
    assert trim_suffix_overlap(text, context(marked)) == left


def test_last_line_that_stands_below_is_cut_off() -> None:
    """A last line without a newline is compared with the line below, too."""
    assert trim("x = 1\nreturn x", context("▮\nreturn x\n")) == "x = 1"


def test_white_space_is_cut_off_at_the_end_of_a_line_only() -> None:
    """The space before other text on the line is kept."""
    assert trim("a \n\n", context("▮\nb")) == "a"
    assert trim("a = ", context("▮b()")) == "a = "


@pytest.mark.parametrize(
    ("marked", "text", "left"),
    [
        ("Roses  \n▮\n", "Violets  ", "Violets  "),
        ("Roses\n▮\n", "Violets  ", "Violets"),
        ("Roses  \n▮\n", "Violets   ", "Violets"),
        ("Roses\n  \n▮\n", "Violets  ", "Violets"),
        ("Roses  \n▮\n", "  ", ""),
    ],
)
def test_line_break_of_markdown_is_kept(marked: str, text: str, left: str) -> None:
    """Two spaces at the end of a line are kept where the document has such lines."""
    assert trim(text, context(marked)) == left


@given(CODE, CODE, CODE)
def test_trimming_only_shortens(prefix: str, suffix: str, text: str) -> None:
    """The result is the start of the text, or its end."""
    around = Context(prefix, suffix, len(prefix))
    assert text.startswith(trim(text, around))
    assert text.endswith(trim_start(text, around))


def test_last_line_nearly_equal_or_repeated_is_cut_off() -> None:
    """All stops that compare whole lines apply to the last line."""
    assert trim("x = 1\nreturn self.total", context("▮\nreturn self.totals\n")) == "x = 1"
    assert trim("a = next(b)\na = next(b)\na = next(b)", context("▮")) == "a = next(b)"
