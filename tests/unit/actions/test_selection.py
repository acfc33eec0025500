"""Selections: what is shown of long code, and what is left out is named."""

from __future__ import annotations

import pytest

from midfill.actions.selection import Selection
from midfill.code.languages import language_of

FUNCTIONS = "".join(f"def step_{n}(value):\n    first = value + {n}\n    return first * {n}\n\n\n" for n in range(200))
DOCUMENT = f"import math\n\nRATE = 2\n\n\n{FUNCTIONS}def main():\n    step_7(1)\n    step_7(2)\n    return step_9(3)\n"


def whole(document: str = DOCUMENT) -> Selection:
    """Select all of a document."""
    return Selection(document, language_of("x.py"), 0, document.count("\n") + 1, "x.py")


def words(text: str) -> int:
    """Count as a tokenizer might."""
    return len(text.split())


@pytest.mark.parametrize("budget", [700, 900, 1500, 5000])
def test_outline_fits_and_says_what_it_left_out(budget: int) -> None:
    """Declarations of all functions, bodies of some, and the names of the others."""
    outline = whole().outline(words, budget)
    assert words(outline.text) <= budget
    shown = {n for n in range(200) if f"return first * {n}\n" in f"{outline.text}\n"}
    assert {f"step_{n}" for n in range(200) if n not in shown} == set(outline.left_out) - {"main"}
    assert all(f"def step_{n}(value)" in outline.text for n in range(200))


def test_bodies_that_are_asked_about_or_used_come_first() -> None:
    """By name in the question, then by how often others use them."""
    outline = whole().outline(words, 660, question="What does step_150 do?")
    assert "return first * 150" in outline.text
    assert "return first * 7\n" in outline.text
    assert "step_151" in outline.left_out


def test_methods_are_folded_in_their_class() -> None:
    """The class stays as it is."""
    document = 'class A:\n    x = 1\n\n    def f(self):\n        """Say."""\n        y = 1\n        return y\n'
    assert (
        whole(document).outline(words, 11).text
        == 'class A:\n    x = 1\n\n    def f(self):\n        """Say."""\n        ...'
    )


def test_outline_of_what_never_fits_is_cut() -> None:
    """Rather than longer than asked for."""
    assert words(whole("x = 1\n" * 1000).outline(words, 100).text) <= 100


_LONG = "def first(a):\n    return a\n\n\n" * 60_000
"""A document of 2 million characters."""


@pytest.mark.parametrize("line", [0, 120_001, 239_997])
def test_long_document_is_read_around_the_lines(line: int) -> None:
    """Lines keep their numbers, and the definition around the lines is known."""
    selection = Selection(_LONG, language_of("x.py"), line, line + 1, "x.py")
    assert selection.redacted_lines[line] == _LONG.split("\n")[line]
    assert selection.definition is not None
    assert selection.of_definition().code == "def first(a):\n    return a"
    assert sum(map(len, selection.redacted_lines)) <= 400_000
    assert not selection.is_too_long
    assert selection.of_document().is_too_long


def test_other_lines_of_a_long_document_are_read_anew() -> None:
    """A selection can lead to another one that is far away."""
    selection = Selection(_LONG, language_of("x.py"), 0, 1, "x.py").of_lines(239_996, 239_998)
    assert selection.code == "def first(a):\n    return a"


@pytest.mark.timeout(120)
def test_many_secrets_are_named_in_a_bounded_time() -> None:
    """Each secret has a name of its own, which is not looked for among all earlier ones."""
    other = "x = 1\n" * 12  # code does not have a password in each line
    document = "".join(f"password = 'hunter2{number:06}hunter2'\n{other}" for number in range(3_000))
    selection = Selection(document, language_of("x.py"), 0, 1, "x.py")
    assert len(selection.secrets) == 3_000
    assert selection.redacted_lines[13 * 2_999] == "password = '<password-3000>'"


def test_outline_of_code_without_functions_counts_few_tokens() -> None:
    """The tokens of a text that is far too long are not counted again and again."""
    counted = []

    def count(text: str) -> int:
        counted.append(len(text))
        return len(text)

    assert len(whole("x = 1\n" * 60_000).outline(count, 400).text) <= 400
    assert sum(counted[1:]) < 400_000
