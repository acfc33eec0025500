"""Edits: only the selected lines change, and only into code that can be trusted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.actions.checked_edit import Edit, Keeps, code_in, replace_selection
from midfill.actions.reasons import Faulty
from midfill.actions.selection import Selection, lines_of
from midfill.code.languages import language_of

CODE = """import os

KEY = "1"


class Shop:
    def price(self, net: float) -> float:
        # with tax
        return net * 1.19

    def name(self) -> str:
        return "shop"
"""
DOUBLE = "def f(a):\n    return a * 2\n"
TOKEN = "ghp_" + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5"


def select(first: int, end: int, document: str = CODE, path: str = "shop.py") -> Selection:
    """Select lines as people count them, from 1, the last included."""
    return Selection(document, language_of(path), first - 1, end)


def fenced(code: str, language: str = "python") -> str:
    """Answer as chat models do."""
    return f"Sure! Here is the code:\n\n```{language}\n{code}\n```\n\nIt works by magic."


def replaced(answer: str, selection: Selection, keeps: Keeps = "signatures") -> str:
    """Return the document with the answer's edit."""
    return replace_selection(answer, selection, keeps).apply(selection.document)


def fault(answer: str, selection: Selection, keeps: Keeps = "signatures") -> str:
    """Return the reason code for which an answer is refused."""
    with pytest.raises(Faulty) as refused:
        replace_selection(answer, selection, keeps)
    assert str(refused.value), "the model is told"
    return refused.value.reason


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("x = 1", "x = 1"),
        (fenced("x = 1"), "x = 1"),
        (fenced("    x = 1\n\n    y = 2"), "x = 1\n\ny = 2"),
        ("```\nx = 1", "x = 1"),
        ("~~~python\nx = 1\n~~~", "x = 1"),
        (fenced("before = 1") + fenced("x = 1"), "x = 1"),
        ("1. So:\n   ```python\n   if x:\n       y\n   ```", "if x:\n    y"),
        ("````markdown\n```\nx\n```\n````", "```\nx\n```"),
    ],
)
def test_code_is_found_in_an_answer(answer: str, code: str) -> None:
    """The first block that is not what was asked about, at the left margin, or the whole answer."""
    assert code_in(answer, original="before = 1") == code


@pytest.mark.parametrize("answer", ["", "\n\n", "```python\n```", "Look:\n```\n"])
def test_answer_without_code_is_refused(answer: str) -> None:
    """Nothing is no edit."""
    assert fault(answer, select(9, 9)) == "no-code"


@pytest.mark.parametrize("margin", ["", "    ", "        ", "\t"], ids=["none", "less", "as there", "a tab"])
def test_only_the_selected_lines_change_and_keep_their_indentation(margin: str) -> None:
    """However the model indents, the lines stand where the old ones stood."""
    answer = fenced(f"{margin}# with tax\n{margin}return round(net * 1.19, 2)")
    assert replaced(answer, select(8, 9)) == CODE.replace("return net * 1.19", "return round(net * 1.19, 2)")


def test_levels_are_indented_as_the_document_is() -> None:
    """Spaces become the tabs that a document has."""
    document = "def f(x):\n\tif x:\n\t\treturn 1\n\treturn 2\n"
    answer = fenced("if not x:\n    return 2\nreturn 1")
    assert replaced(answer, select(2, 4, document)) == "def f(x):\n\tif not x:\n\t\treturn 2\n\treturn 1\n"


@pytest.mark.parametrize("last", ["", "\r\n"], ids=["no line end at the end", "one"])
def test_line_ends_stay(last: str) -> None:
    """A document with CRLF gets lines with CRLF, and no line end where it had none."""
    document = f"x = 1\r\ny = 2{last}"
    assert replaced("x = 2\ny = 3", select(1, 2, document)) == f"x = 2\r\ny = 3{last}"


@pytest.mark.parametrize(
    ("answer", "lines", "reason"),
    [
        (fenced("return net * 1.19"), (9, 9), "unchanged"),
        (fenced("return net *"), (9, 9), "syntax"),
        (fenced("def price(self, net: float) -> float:\nreturn net"), (7, 9), "syntax"),
        ("You should multiply by the tax rate here.", (9, 9), "syntax"),
        (fenced("return net\nThis returns the net price."), (9, 9), "syntax"),
        ("````\nreturn net\n```\nAnd so on\n```\n````", (9, 9), "prose"),
        (fenced("def price(self, gross: float) -> float:\n    return gross"), (7, 9), "signature"),
        (fenced("def price(self, net: float):\n    return net"), (7, 9), "signature"),
        (fenced("def cost(self, net: float) -> float:\n    return net"), (7, 9), "name-lost"),
        (fenced("def price(self, net: float) -> float:\n    return net"), (7, 12), "name-lost"),
        (fenced("def price(self, net: float) -> float:\n    return net"), (9, 9), "repeated"),
        (fenced("def price(self, net: float) -> float:\n    # ... rest of the code\n    return 1"), (7, 9), "left-out"),
    ],
)
def test_answer_that_cannot_be_trusted_is_refused(answer: str, lines: tuple[int, int], reason: str) -> None:
    """Each fault has its code."""
    assert fault(answer, select(*lines)) == reason


@pytest.mark.parametrize(
    ("code", "keeps"),
    [
        ('def f(a):\n    """Double."""\n    return a * 2', "code"),
        ("def f(a):\n    # twice\n    return a * 2", "code"),
        ("def f(a: int) -> int:\n    return a * 2", "all but types"),
    ],
)
def test_what_may_be_added_is_added(code: str, keeps: Keeps) -> None:
    """Documentation is no code, and types are nothing but types."""
    assert replaced(fenced(code), select(1, 2, DOUBLE), keeps) == f"{code}\n"


@pytest.mark.parametrize(
    ("code", "keeps"),
    [
        ("def f(a: int) -> int:\n    return a * 2", "code"),
        ("def f(a: int) -> int:\n    return a + a", "all but types"),
        ('def f(a):\n    return a * 2\n    "x"', "code"),
    ],
)
def test_code_that_must_stay_stays(code: str, keeps: Keeps) -> None:
    """An answer that changes it is refused."""
    assert fault(fenced(code), select(1, 2, DOUBLE), keeps) == "code-changed"


def test_document_that_does_not_parse_may_stay_so() -> None:
    """What is wrong elsewhere is not this edit's fault, and what it mends is welcome."""
    document = "def f(:\n    pass\n\n\nx = (1\ny = 2\n"
    assert replaced("y = 3", select(6, 6, document)).endswith("y = 3\n")
    assert replaced("x = (1)", select(5, 5, document)).endswith("x = (1)\ny = 2\n")


def test_secrets_are_hidden_from_the_model_and_come_back() -> None:
    """Each of them has a placeholder of its own; one that is missing, added or doubled ends in a refusal."""
    other = TOKEN[:-1] + "6"
    document = f'token = "{TOKEN}"\nother = "{other}"\nagain = "{TOKEN}"\n'
    selection = select(1, 2, document)
    assert TOKEN not in selection.redacted
    assert len(selection.secrets) == 2
    first, second = (line.split('"')[1] for line in selection.lines)
    assert first != second
    swapped = f'other = "{second}"\ntoken = "{first}"'
    assert replaced(swapped, selection) == f'other = "{other}"\ntoken = "{TOKEN}"\nagain = "{TOKEN}"\n'
    for answer in (f'token = "{first}"', f'token = "{first}{first}{second}"', 'token = "ghp_mine"'):
        assert fault(answer, selection) == "secret"
    assert fault(f'x = "{first}"', select(4, 4, f"{document}x = 1\n")) == "secret"


@given(st.text("ab \t\n\r", max_size=40), st.integers(0, 9), st.integers(0, 9), st.lists(st.text("xy ", max_size=3)))
def test_edit_leaves_all_other_lines_as_they_are(document: str, first: int, count: int, put: list[str]) -> None:
    """Whatever is put in place of some lines, those before and after are the same to the last character."""
    selection = Selection(document, language_of("x.txt"), first, first + count)
    done = Edit(selection.first_line, selection.end_line, tuple(put)).apply(document)
    lines = lines_of(document)
    before, after = "".join(lines[: selection.first_line]), "".join(lines[selection.end_line :])
    assert done.startswith(before)
    assert done.endswith(after)
    between = done[len(before) : len(done) - len(after)]
    assert [line for line in between.replace("\r\n", "\n").split("\n") if line] == [line for line in put if line]


@given(st.lists(st.sampled_from(["x = 1", "  y = 2", "\tz", "", "    if x:"]), min_size=1, max_size=6))
def test_selected_code_given_back_is_no_edit(lines: list[str]) -> None:
    """What a model is shown and repeats is recognised as the same, however it was indented."""
    selection = Selection("\n".join(lines) + "\n", language_of("x.txt"), 0, len(lines))
    assert fault(fenced(selection.code), selection) in ("unchanged", "no-code")
