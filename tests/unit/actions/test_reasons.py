"""Each reason code happens, and has words that explain it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from midfill.actions import ACTIONS, ActionReason, ActionTask
from midfill.actions.attempts import Attempts
from midfill.actions.checked_edit import Edit
from midfill.actions.dialogue import Dialogue
from midfill.actions.proof import Verdict
from midfill.actions.question import question_about
from midfill.actions.reasons import Faulty
from midfill.actions.rewriting import rewriting
from midfill.common.cancel import CancelFlag
from midfill.common.errors import ModelError
from unit.actions.test_perform import conversation, do, fenced, select
from unit.session.test_action_service import LATER, URI, Desk

TOKEN = "ghp_" + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5"
TOTAL = "def f(xs):\n    total = _total = 0\n    for x in xs:\n        total += x\n    return total\n"


def performed(name: str, *replies: str, at: tuple[int, int] = (7, 7), **more: Any) -> ActionReason | None:
    """Return why an action gives nothing, with a model that gives these answers."""
    where = {key: more.pop(key) for key in ("document", "path") if key in more}
    return do(name, select(*at, **where), *(replies or ("none",)), **more)[0].reason


def extracted(document: str, first: int, last: int) -> ActionReason | None:
    """Return why some lines cannot become a function."""
    return performed("extract", at=(first, last), document=document)


def read(name: str, answer: str) -> ActionReason:
    """Return why an answer gives no edit, whatever the tests' tokenizer makes of it."""
    reader = ACTIONS[name].read
    assert reader is not None
    with pytest.raises(Faulty) as refused:
        reader(answer, ActionTask(select(7, 7)))
    return refused.value.reason


def unreadable_tests(folder: Path) -> ActionReason | None:
    """Return what comes of tests in a file that holds no text."""
    (folder / "test_shop.py").write_bytes(b"\0")
    answer = fenced("from shop import tax\n\n\ndef test_tax():\n    assert tax(1) == 1")
    return performed("tests", answer, path=str(folder / "shop.py"))


def not_proved(_: Path) -> ActionReason | None:
    """Return what comes of an edit that running shows to be wrong."""
    task = ACTIONS["simplify"].prepare(ActionTask(select(7, 7)))
    talk = conversation(fenced("def tax(net):\n    return RATE"))[0]
    dialogue = Dialogue(talk, CancelFlag(), lambda _: None, lambda _: None)
    question = question_about(ACTIONS["simplify"], task, talk)
    return Attempts(ACTIONS["simplify"], rewriting("names"), task, question, dialogue, Refusing()).result().reason


class Refusing:
    """A judge to whom nothing is right."""

    def judge(self, _: Edit) -> Verdict:
        """Refuse."""
        return Verdict(False, "it is wrong")


Case = Callable[[Path], ActionReason | None]
PERFORMED: dict[ActionReason, Case] = {
    ActionReason.NO_MESSAGE: lambda _: performed("fix"),
    ActionReason.NO_INSTRUCTION: lambda _: performed("ask"),
    ActionReason.TOO_LONG: lambda _: performed("simplify", at=(1, 3000), document="print(add(1, 2))\n" * 3000),
    ActionReason.NO_DEFINITION: lambda _: performed("document", at=(3, 3)),
    ActionReason.NO_BODY: lambda _: performed("document", at=(1, 1), document="class A:\n\nx = 1\n"),
    ActionReason.ONE_LINE: lambda _: performed("document", at=(1, 1), document="def f(): return 1\n"),
    ActionReason.DOCUMENTED: lambda _: performed("document-all", at=(1, 1), document='"""All."""\n'),
    ActionReason.NO_CONVENTION: lambda _: performed("document", at=(1, 1), path="a.txt"),
    ActionReason.NO_ANNOTATIONS: lambda _: performed("types", at=(1, 1), document="func f() {}\n", path="a.go"),
    ActionReason.NO_LAYOUT: lambda _: performed("tests", at=(1, 1), document="fn f() {}\n", path="a.rs"),
    ActionReason.NO_EXTRACTION: lambda _: performed("extract", at=(1, 1), document="func f() {}\n", path="a.go"),
    ActionReason.NO_FUNCTION: lambda _: extracted("x = 1\n", 1, 1),
    ActionReason.NOT_STATEMENTS: lambda _: extracted("def f(x):\n    y = [\n        x]\n    return y\n", 2, 2),
    ActionReason.DOCUMENTATION: lambda _: extracted('def f(x):\n    """Say."""\n    return x\n', 2, 2),
    ActionReason.RETURNS: lambda _: extracted("def f(x):\n    return x\n", 2, 2),
    ActionReason.LEAVES_LOOP: lambda _: extracted(
        "def f(xs):\n    for x in xs:\n        if x:\n            break\n", 3, 4
    ),
    ActionReason.CLASS: lambda _: extracted("class A:\n    def f(self):\n        super().f()\n", 3, 3),
    ActionReason.GLOBAL: lambda _: extracted("def f(x):\n    global g\n    g = x\n", 3, 3),
    ActionReason.MAYBE_UNSET: lambda _: extracted("def f(x):\n    if x:\n        y = 1\n    print(y)\n", 2, 3),
    ActionReason.NO_CODE: lambda _: performed("explain", at=(2, 2)),
    ActionReason.CUT_SHORT: lambda _: performed("simplify", fenced("def tax(net):\n" + "    print(1, 2)\n" * 300)),
    ActionReason.UNCHANGED: lambda _: performed("simplify", fenced("def tax(net):\n    return net * RATE")),
    ActionReason.ONLY_COMMENTS: lambda _: performed(
        "fix", fenced("def tax(net):\n    # !\n    return net * RATE"), message="!"
    ),
    ActionReason.OTHER_CODE: lambda _: read("simplify", fenced("def vat(net):\n    return net")),
    ActionReason.PROSE: lambda _: read("simplify", fenced("return net\n~~~\nSo.\n~~~")),
    ActionReason.LEFT_OUT: lambda _: performed("simplify", fenced("def tax(net):\n    # ...\n    return net")),
    ActionReason.SYNTAX: lambda _: performed("simplify", fenced("def tax(net):\n    return net *")),
    ActionReason.IMPORT: lambda _: performed(
        "simplify", fenced("from numba import jit\n\n\n@jit\ndef tax(net):\n    return net"), instruction="Use numba."
    ),
    ActionReason.UNKNOWN_NAME: lambda _: performed("simplify", fenced("def tax(net):\n    return rate")),
    ActionReason.WRONG_CALL: lambda _: performed("simplify", fenced("def tax(net):\n    return tax()")),
    ActionReason.CODE_CHANGED: lambda _: performed("types", fenced("def tax(net: float):\n    return net")),
    ActionReason.NAME_LOST: lambda _: performed(
        "simplify", fenced("def vat(net):\n    return 1"), instruction="Rename."
    ),
    ActionReason.REPEATED: lambda _: performed("simplify", fenced("def tax(net):\n    return net"), at=(7, 8)),
    ActionReason.SIGNATURE: lambda _: performed("simplify", fenced("def tax(gross):\n    return gross"), at=(6, 8)),
    ActionReason.SECRET: lambda _: performed(
        "simplify",
        fenced('def f():\n    return "mine"'),
        at=(1, 2),
        document=f'def f():\n    return "{TOKEN}"\n',
    ),
    ActionReason.LONGER: lambda _: performed("simplify", fenced("def tax(net):\n    return net * RATE + 0")),
    ActionReason.NO_DOCUMENTATION: lambda _: performed("document", fenced('""""""')),
    ActionReason.PARAMETER: lambda _: performed("document", fenced('"""Return it."""')),
    ActionReason.WRONG_TYPE: lambda _: performed("types", fenced("def tax(net: int) -> None:\n    return net * RATE")),
    ActionReason.NO_NAME: lambda _: performed("extract", "```python\ndef (x", at=(2, 4), document=TOTAL),
    ActionReason.NAME_TAKEN: lambda _: performed("extract", "```python\ndef total(x", at=(2, 4), document=TOTAL),
    ActionReason.NO_TEST: lambda _: performed(
        "tests", fenced("from shop import Shop\n\n\ndef test_price():\n    pass"), at=(12, 12)
    ),
    ActionReason.NOT_PROVED: not_proved,
    ActionReason.UNREADABLE: unreadable_tests,
}


async def ended(reason: str) -> ActionReason | None:
    """Return what comes of an action that is ended."""
    cancel = CancelFlag()
    cancel.set(reason)
    return (await Desk().ask("explain", cancel)).reason


async def excluded() -> ActionReason | None:
    """Return what comes of a file that the model may not see."""
    fault = Faulty(ActionReason.EXCLUDED)
    return (await Desk(reason=fault.reason, detail=str(fault)).ask("explain")).reason


async def changed() -> ActionReason | None:
    """Return what comes of an offer for an older version."""
    desk = Desk()
    desk.documents[URI] = LATER
    return (await desk.ask("simplify", version=1)).reason


async def failed() -> ActionReason | None:
    """Return what comes of a model that fails."""
    desk = Desk()

    def fail() -> None:
        raise ModelError("The model failed.")

    desk.meanwhile = fail
    return (await desk.ask("explain")).reason


async def not_open() -> ActionReason | None:
    """Return what comes of a document that is not open."""
    return (await Desk().ask("explain", uri="file:///work/b.py")).reason


async def no_answer() -> ActionReason | None:
    """Return what comes of a question without an answer before it."""
    return (await Desk().ask("ask", continues=True)).reason


async def outside() -> ActionReason | None:
    """Return what comes of an edit of a file that a link leads out of the workspace to."""
    desk = Desk(edit=Edit(0, 0, ("x = 1",), "/work/test_a.py"))
    desk.may_change = False
    return (await desk.ask("tests")).reason


SERVED: dict[ActionReason, Callable[[], Awaitable[ActionReason | None]]] = {
    ActionReason.EXCLUDED: excluded,
    ActionReason.NOT_OPEN: not_open,
    ActionReason.NO_ANSWER: no_answer,
    ActionReason.CHANGED: changed,
    ActionReason.OUTSIDE: outside,
    ActionReason.FAILED: failed,
    ActionReason.CANCELLED: lambda: ended("cancelled"),
    ActionReason.CLOSED: lambda: ended("closed"),
}


def test_every_reason_has_its_case() -> None:
    """One that is added needs a case, and one that cannot happen any more must go."""
    assert sorted([*PERFORMED, *SERVED]) == sorted(ActionReason)


@pytest.mark.parametrize("reason", PERFORMED, ids=str)
def test_reason_of_the_code_or_of_the_answer_happens(reason: ActionReason, tmp_path: Path) -> None:
    """By the action itself, whoever asks for it."""
    assert PERFORMED[reason](tmp_path) is reason


@pytest.mark.parametrize("reason", SERVED, ids=str)
async def test_reason_of_the_service_happens(reason: ActionReason) -> None:
    """Whatever the code and the answer."""
    assert await SERVED[reason]() is reason


@pytest.mark.parametrize("reason", ActionReason, ids=str)
def test_reason_is_a_code_with_an_explanation(reason: ActionReason) -> None:
    """The code is all that JSON and messages have; the words stand for a detail that is not given."""
    assert json.dumps({"reason": reason}, indent=2) == f'{{\n  "reason": "{reason.value}"\n}}'
    assert f"{reason}" == str(reason) == reason.value
    assert reason == ActionReason(reason.value)
    assert reason.value == reason.name.lower().replace("_", "-")
    assert str(Faulty(reason)) == reason.explanation != ""
    assert str(Faulty(reason, "a detail")) == "a detail"
