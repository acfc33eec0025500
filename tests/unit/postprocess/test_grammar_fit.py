"""Whether a suggestion fits the grammar, and when that is not checked."""

from __future__ import annotations

import pytest

from midfill.code.languages import language_of
from midfill.postprocess.grammar_fit import fits
from midfill.postprocess.lines import nearby
from unit.helpers import context

PYTHON = "def f(a):\n    x = 1\n    ▮\n    return a\n"
JAVASCRIPT = "function f(a) {\n  let x = 1;\n  ▮\n  return a;\n}\n"


@pytest.mark.parametrize(
    ("marked", "path", "text"),
    [
        (PYTHON, "a.py", "Here is the code that you want"),
        (PYTHON, "a.py", "x = a b"),
        (PYTHON, "a.py", "x = (a]"),
        (PYTHON, "a.py", "foo(a))"),
        (PYTHON, "a.py", "if a:\n        b = )\n        c = 1"),
        ("x = ▮\ny = 2\n", "a.py", "def f():\n    pass"),
        (JAVASCRIPT, "a.js", "let y = = a;"),
        (JAVASCRIPT, "a.js", "x = 1;\n  }\n}"),
        (JAVASCRIPT, "a.js", "def g(x):\n    return x"),
        ("fn f() -> i32 {\n    ▮\n}\n", "a.rs", "let x = 1 2;"),
        ("func f() int {\n\t▮\n}\n", "a.go", "return x y z"),
    ],
)
def test_text_that_breaks_the_code_does_not_fit(marked: str, path: str, text: str) -> None:
    """Prose, another language and unmatched brackets do not fit."""
    assert not fits(text, context(marked), language_of(path))


@pytest.mark.parametrize(
    ("marked", "path", "text"),
    [
        (PYTHON, "a.py", "x += a"),
        (PYTHON, "a.py", "if a:"),
        (PYTHON, "a.py", "for b in a:\n        x += b\n        if b:"),
        (PYTHON, "a.py", "x = foo(\n        a,"),
        (PYTHON, "a.py", "x = a +"),
        (PYTHON, "a.py", 'x = {"a": [1, "b'),
        (JAVASCRIPT, "a.js", "if (a) {"),
        (JAVASCRIPT, "a.js", "a.forEach((b) => {\n    use(b);"),
        (JAVASCRIPT, "a.js", "const y = a ||"),
        ("def ▮\n\nclass A:\n    pass\n", "a.py", "f(a, b):"),
        ("x = f(▮\n\ny = 2\n", "a.py", "a)"),
        ("/** What it does.\n ▮\nfunction f() {}\n", "a.js", "*/"),
    ],
)
def test_text_that_can_go_on_fits(marked: str, path: str, text: str) -> None:
    """Text that is unfinished at its end fits."""
    assert fits(text, context(marked), language_of(path))


def test_last_line_of_a_text_cut_short_is_not_checked() -> None:
    """At the token limit a suggestion may end within a word."""
    python = language_of("a.py")
    assert not fits("x = a\n    y = a b", context(PYTHON), python)
    assert fits("x = a\n    y = a b", context(PYTHON), python, cut_short=True)
    assert not fits("x = a b\n    y = a", context(PYTHON), python, cut_short=True)


def test_document_with_syntax_errors_is_not_checked() -> None:
    """In a template, or a file with another error, the parser's result says nothing about the suggestion."""
    assert fits("x = a b", context("{% if x %}\n▮\n"), language_of("a.py"))


@pytest.mark.parametrize("path", ["a.txt", "a.md", "a.css", "a.html", "a.unknown"])
def test_languages_that_are_not_checked(path: str) -> None:
    """In text and markup every suggestion fits."""
    assert fits("Here is ( the", context("▮"), language_of(path))


def test_only_text_near_the_cursor_is_parsed() -> None:
    """The result is the same in a very long file, and with a very long line."""
    around = nearby(context("a = 1\n" * 100_000 + PYTHON + "b = 2\n" * 100_000))
    assert fits("x += a", around, language_of("a.py"))
    assert not fits("x = a b", around, language_of("a.py"))
    assert fits("x", nearby(context("a" * 5_000_000 + "▮" + "b" * 5_000_000)), language_of("a.py"))


def test_replaced_text_is_removed_before_the_check() -> None:
    """A text may fit when it replaces a word, and not fit before that word."""
    around = context("def f(x, y):\n    return ▮x\n")
    assert not fits("y + 1", around, language_of("a.py"))
    assert fits("y + 1", around, language_of("a.py"), replaces=1)


@pytest.mark.parametrize(
    ("language_id", "marked", "is_fit"),
    [
        ("yaml", "▮", False),
        ("shellscript", "▮", False),
        ("html", "  ▮", False),
        ("markdown", "▮", True),
        ("plaintext", "▮", True),
        ("shellscript", "# ▮", True),
    ],
)
def test_fence_of_markdown_fits_only_in_prose(language_id: str, marked: str, is_fit: bool) -> None:
    """The model wraps code in a fence at times, also in languages whose grammar is not checked."""
    assert fits("```sh\nmake", context(marked), language_of("", language_id)) is is_fit
