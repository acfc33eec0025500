"""Answers are about what was asked: code that changes, statements that stay statements, definitions that are new."""

from __future__ import annotations

import pytest

from midfill.actions.asked_code import check_new, check_rewritten
from midfill.actions.checked_edit import Edit, checked
from midfill.actions.reasons import Faulty
from midfill.actions.selection import Selection
from midfill.code.languages import language_of

CODE = '''\
class Shop:
    """A shop."""

    def price(self, net):

        return net


def total(prices):
    return sum(prices)


class Stall:
    pass
'''
TOKEN = "ghp_" + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5"


def select(first: int, last: int, document: str = CODE, path: str = "shop.py") -> Selection:
    """Select lines as people count them, from 1, the last included."""
    return Selection(document, language_of(path), first - 1, last, path)


def refused(selection: Selection, *lines: str) -> tuple[str, str]:
    """Return why lines in place of the selected ones are refused, as a code and a sentence."""
    with pytest.raises(Faulty) as fault:
        check_rewritten(Edit(selection.first_line, selection.end_line, lines), selection)
    return fault.value.reason, str(fault.value)


def test_comments_docstrings_and_blank_lines_are_no_change() -> None:
    """Of whatever the whole file is made of; a changed statement is one, and so is its level."""
    selection = select(4, 6)
    lines = ("    def price(self, net):", '        """Return it."""', "        # so", "        return  net")
    assert refused(selection, *lines)[0] == "only-comments"
    check_rewritten(Edit(3, 6, ("    def price(self, net):", "        return +net")), selection)
    loop = select(1, 4, "def f(xs):\n    for x in xs:\n        g(x)\n        return x\n")
    check_rewritten(Edit(0, 4, ("def f(xs):", "    for x in xs:", "        g(x)", "    return x")), loop)


def test_a_secret_that_comes_back_is_no_change() -> None:
    """The model saw its placeholder."""
    assert refused(select(1, 1, f'key = "{TOKEN}"\n'), f'key = "{TOKEN}"  # mine')[0] == "only-comments"


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("a.hs", "f x = x", "f x = x -- done"),
        ("a.yaml", "a: '#'", "# a\na: '#'"),
        ("a.dart", "int x = 1;", "int x = 1; /* one */"),
        ("a.go", "func f() {}", "// F.\nfunc f() {}"),
        ("a.toml", "a = 1 # one", "a = 1 # 1"),
    ],
)
def test_comments_are_known_in_each_language(path: str, before: str, after: str) -> None:
    """By its grammar, or by its marks."""
    assert refused(select(1, 1, before, path), *after.split("\n"))[0] == "only-comments"


def test_other_code_is_refused() -> None:
    """A body that is left out, and a definition in place of statements."""
    assert refused(select(9, 10), "def total(prices):", "    ...")[0] == "left-out"
    reason, sentence = refused(select(10, 10), "    def mean(prices):", "        return sum(prices) / 2")
    assert (reason, "'mean'" in sentence) == ("other-code", True)


def test_new_code_defines_what_is_new_in_its_scope() -> None:
    """A method may have the name of another class's; a name of the same scope is taken, and comments are no code."""
    inside, below = select(14, 14).of_lines(14, 14, "    "), select(14, 14).of_lines(14, 14)
    check_new("def price(self):\n    return 1", inside)
    check_new("def mean(prices):\n    return 1", below)
    with pytest.raises(Faulty, match="'total' is defined already"):
        check_new("def total(xs):\n    return 1", below)
    with pytest.raises(Faulty, match="comments only"):
        check_new("# total", below)
    overloads = select(1, 1, "int f(int x) { return x; }\n", "a.cpp").of_lines(1, 1)
    check_new("int f(double x) { return 1; }", overloads)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_blank_lines_around_the_code_stay(newline: str) -> None:
    """Also those that are selected."""
    document = CODE.replace("\n", newline)
    edit = checked("def total(prices):\n    return 0", select(7, 12, document), "signatures")
    assert edit.apply(document) == document.replace("sum(prices)", "0")
