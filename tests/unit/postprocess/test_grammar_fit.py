"""Whether a suggestion fits the grammar, and when that is not for it to say."""

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
    """Prose, another language, and brackets that nobody opened."""
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
    """What is left open at its end is for the next suggestion, or the user, to close."""
    assert fits(text, context(marked), language_of(path))


def test_text_cut_short_is_judged_without_its_last_line() -> None:
    """At the limit of tokens a suggestion may end within a word."""
    python = language_of("a.py")
    assert not fits("x = a\n    y = a b", context(PYTHON), python)
    assert fits("x = a\n    y = a b", context(PYTHON), python, cut_short=True)
    assert not fits("x = a b\n    y = a", context(PYTHON), python, cut_short=True)


def test_code_that_the_grammar_does_not_understand_is_not_judged() -> None:
    """A template, or a file with an error elsewhere, would have every suggestion refused at random."""
    assert fits("x = a b", context("{% if x %}\n▮\n"), language_of("a.py"))


@pytest.mark.parametrize("path", ["a.txt", "a.md", "a.css", "a.html", "a.unknown"])
def test_language_without_much_grammar_takes_anything(path: str) -> None:
    """Where words stand freely, there is nothing to break."""
    assert fits("Here is ( the", context("▮"), language_of(path))


def test_only_what_is_near_is_parsed() -> None:
    """In a file of any length, and with a line of any length, the answer is the same."""
    around = nearby(context("a = 1\n" * 100_000 + PYTHON + "b = 2\n" * 100_000))
    assert fits("x += a", around, language_of("a.py"))
    assert not fits("x = a b", around, language_of("a.py"))
    assert fits("x", nearby(context("a" * 5_000_000 + "▮" + "b" * 5_000_000)), language_of("a.py"))


def test_what_a_suggestion_replaces_is_gone() -> None:
    """The same text may fit in the place of what stands there, not before it."""
    around = context("def f(x, y):\n    return ▮x\n")
    assert not fits("y + 1", around, language_of("a.py"))
    assert fits("y + 1", around, language_of("a.py"), replaces=1)
