"""Actions that do more than rewrite some lines: a function that is taken out, and a file that is documented."""

from __future__ import annotations

import ast

import pytest

from midfill.actions import ACTIONS, ActionResult, ActionTask, perform
from midfill.actions.selection import Selection
from midfill.code.languages import language_of
from midfill.common.cancel import CancelFlag
from unit.replies import Replies, conversation_with

TOTAL = """\
def bill(items, rate):
    total = 0
    for item in items:
        total += item
    return total * rate
"""
FILE = '''\
def first(net):
    return net


class Shop:
    """A shop."""

    def second(self, net):
        return net

    def third(self, net): return net
'''


def do(name: str, document: str, *replies: str, lines: tuple[int, int] | None = None) -> tuple[ActionResult, list[str]]:
    """Do an action on lines, or on the whole document; return what came of it, and what was told of its progress."""
    first, end = lines or (0, document.count("\n"))
    selection = Selection(document, language_of("shop.py"), first, end, "shop.py")
    told: list[str] = []
    talk = conversation_with(Replies(*replies))
    outcome = perform(ACTIONS[name], ActionTask(selection), talk, CancelFlag(), on_progress=told.append)
    return outcome, told


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_model_names_the_function_that_is_taken_out(newline: str) -> None:
    """Whatever else it says; line ends stay."""
    outcome, _ = do("extract", TOTAL.replace("\n", newline), "```python\ndef sum_up(whatever):", lines=(1, 4))
    assert outcome.edit is not None
    assert outcome.edit.apply(TOTAL.replace("\n", newline)) == (
        "def sum_up(items):\n    total = 0\n    for item in items:\n        total += item\n    return total\n\n\n"
        "def bill(items, rate):\n    total = sum_up(items)\n    return total * rate\n"
    ).replace("\n", newline)


@pytest.mark.parametrize(("said", "name"), [("bill(x", "_bill"), ("_bill(x", "_bill"), ("total\n", "_total")])
def test_name_is_a_new_one(said: str, name: str) -> None:
    """One that is there gets an underscore."""
    outcome, _ = do("extract", TOTAL, f"```python\ndef {said}", lines=(1, 4))
    assert outcome.edit is not None
    assert f"def {name}(items):" in outcome.edit.lines


@pytest.mark.parametrize("said", ["class(x", "(x"])
def test_without_a_name_nothing_is_taken_out(said: str) -> None:
    """A word that no function can have is no name."""
    outcome, _ = do("extract", TOTAL, f"```python\ndef {said}", lines=(1, 4))
    assert (outcome.edit, outcome.reason) == (None, "no-name")


def test_nothing_is_taken_out_of_other_languages() -> None:
    """It is said so, and the model is not asked."""
    selection = Selection("func f() {\n\tg()\n}\n", language_of("a.go"), 1, 2, "a.go")
    model = Replies("none")
    outcome = perform(ACTIONS["extract"], ActionTask(selection), conversation_with(model), CancelFlag())
    assert (outcome.reason, model.asked) == ("no-extraction", [])


def test_what_is_not_documented_is_documented_in_one_edit() -> None:
    """One definition after the other; what is documented, or cannot be, stays as it is."""
    replies = [f'```python\n"""Return the {n} net: `net` is what is paid."""\n```\n' for n in ("first", "second")]
    outcome, told = do("document-all", FILE, *replies)
    assert outcome.edit is not None
    after = outcome.edit.apply(FILE)
    found = {n.name: ast.get_docstring(n) for n in ast.walk(ast.parse(after)) if isinstance(n, ast.FunctionDef)}
    assert found == {
        "first": "Return the first net: `net` is what is paid.",
        "second": "Return the second net: `net` is what is paid.",
        "third": None,
    }
    assert "".join(line for line in after.splitlines(True) if '"""Return' not in line) == FILE
    assert told[0] == "1 of 2: reading the code"
    assert outcome.note == ""


def test_definitions_that_cannot_be_documented_are_counted() -> None:
    """The others are documented all the same."""
    good = '```python\n"""Return the net: `net` is what is paid."""\n```\n'
    outcome, _ = do("document-all", FILE, "Sure!", "Sure!", good)
    assert outcome.edit is not None
    assert outcome.note == "1 of 2 could not be done."


def test_file_that_is_documented_stays() -> None:
    """With the reason."""
    assert do("document-all", '"""All there is."""\n', "none")[0].reason == "documented"


def test_long_file_is_reviewed_in_parts() -> None:
    """Each part begins where a definition does, and all lines are in one."""
    document = "".join(f"def step_{n}(value):\n    other = value + {n}\n    return other\n\n\n" for n in range(300))
    selection = Selection(document, language_of("a.py"), 0, document.count("\n"), "a.py")
    action = ACTIONS["review"]
    assert action.parts is not None
    parts = [part.selection for part in action.parts(action.prepare(ActionTask(selection)))]
    assert len(parts) > 2
    assert all(len(part.code) < 6_000 and part.code.startswith("def ") for part in parts)
    assert [line for part in parts for line in part.lines] == selection.lines
