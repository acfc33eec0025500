"""Proof by running: only where it is allowed, and what the run shows decides which edit is offered."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from midfill.actions import ACTIONS, ActionResult, ActionTask, perform
from midfill.actions.action import Runs
from midfill.actions.selection import Selection
from midfill.code.languages import language_of
from midfill.common.cancel import CancelFlag
from midfill.privacy.ignore_rules import IgnoreRules
from midfill.running.jail import can_run
from unit.replies import Replies, conversation_with

needs_sandbox = pytest.mark.skipif(not can_run(), reason="this machine has no user namespaces")
TRAP = 'import os\n\nopen({trap!r}, "w").close() if os.access({folder!r}, os.W_OK) else None\n'
SHOP = """\


def total(prices):
    result = 0
    for price in prices:
        result += prices
    return result
"""
TESTS = "from shop import total\n\n\ndef test_total():\n    assert total([1, 2]) == 3\n"
CHECK = "from shop import total\n\nassert total([1, 2]) == 3, total([1, 2])\n"
MESSAGE = 'File "check.py", line 3, in <module>\nTypeError: unsupported operand'
RIGHT, WRONG = "        result += price\n", "        result = price\n"


def body(line: str) -> str:
    """Answer with the function and this line in its loop."""
    head = "def total(prices):\n    result = 0\n    for price in prices:\n"
    return f"```python\n{head}{line}    return result\n```\n"


class Project:
    """A project with a trap: a module that makes a file outside wherever it can, when it is run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve() / "project"
        self.folder.mkdir()
        self.trap = folder.resolve() / "trap"
        self.shop = TRAP.format(trap=str(self.trap), folder=str(folder)) + SHOP
        (self.folder / "shop.py").write_text(self.shop)
        (self.folder / "test_shop.py").write_text(TESTS)
        (self.folder / "check.py").write_text(CHECK)
        bin_folder = self.folder / "venv" / "bin"
        bin_folder.mkdir(parents=True)
        (bin_folder / "python").symlink_to(sys.executable)
        config = Path(sys.prefix) / "pyvenv.cfg"
        (self.folder / "venv" / "pyvenv.cfg").write_text(config.read_text() if config.exists() else "home = /\n")
        (self.folder / "venv" / "lib").symlink_to(Path(sys.prefix) / "lib")
        self.asked: list[str] = []
        self.model = Replies("none")

    def do(
        self, action: str, *replies: str, answer: bool = True, runs: bool = True, document: str = ""
    ) -> ActionResult:
        """Do an action on the function, where the user allows a run or not."""
        self.model = Replies(*replies)
        text = document or self.shop
        line = text.count("\n", 0, text.index("def total"))
        selection = Selection(text, language_of("shop.py"), line, line + 1, str(self.folder / "shop.py"))
        allowed = Runs(self.folder, IgnoreRules([self.folder]), self._answering(answer))
        task = ActionTask(selection, message=MESSAGE, runs=allowed if runs else None)
        return perform(ACTIONS[action], task, conversation_with(self.model), CancelFlag())

    def _answering(self, answer: bool) -> Callable[[str, CancelFlag], bool]:
        def allowed(command: str, _: CancelFlag) -> bool:
            self.asked.append(command)
            return answer

        return allowed


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Make a project whose test fails."""
    return Project(tmp_path)


def changed(result: ActionResult) -> str:
    """Return the changed line of the loop."""
    assert result.edit is not None, result.detail
    return next(line for line in result.edit.lines if "result " in line and "= 0" not in line)


def test_nothing_is_run_without_permission(project: Project) -> None:
    """The first edit is offered, and it is said that nothing was run. A user who is asked may say no."""
    unasked = project.do("fix", body(WRONG), runs=False)
    assert (changed(unasked), project.asked) == (WRONG.rstrip(), [])
    assert unasked.note == "Not checked by running: `runCode` does not allow it."
    refused = project.do("fix", body(WRONG), answer=False)
    assert (changed(refused), project.asked) == (WRONG.rstrip(), ["python check.py"])
    assert "you did not allow it" in refused.note
    assert not project.trap.exists()
    assert sorted(os.listdir(project.folder)) == ["check.py", "shop.py", "test_shop.py", "venv"]


@needs_sandbox
def test_the_fix_that_mends_the_failed_test_is_offered(project: Project) -> None:
    """The model is shown what still fails. Nothing outside the copy changes, though the code would."""
    result = project.do("fix", body(WRONG), body(RIGHT))
    assert changed(result) == RIGHT.rstrip()
    assert result.note == "Checked: `python check.py` passes."
    assert not project.trap.exists()
    assert (project.folder / "shop.py").read_text() == project.shop
    assert sorted(os.listdir(project.folder)) == ["check.py", "shop.py", "test_shop.py", "venv"]


@needs_sandbox
def test_what_stays_wrong_is_not_offered(project: Project) -> None:
    """However often the model answers, which is bounded."""
    result = project.do("fix", body(WRONG))
    assert (result.edit, result.reason) == (None, "not-proved")
    assert "AssertionError: 2" in result.detail
    assert 2 <= len(result.answers) <= 7
    assert any("AssertionError: 2" in prompt for prompt in project.model.asked), "the model is shown what failed"


@needs_sandbox
def test_simpler_code_passes_the_projects_own_tests(project: Project) -> None:
    """If these tests passed before; otherwise they tell nothing."""
    right = project.shop.replace("result += prices", "result += price")
    short, wrong = (f"```python\ndef total(prices):\n    return {call}(prices)\n```\n" for call in ("sum", "max"))
    result = project.do("simplify", wrong, short, document=right)
    assert result.edit is not None
    assert result.edit.lines[-1] == "    return sum(prices)"
    assert result.note == "Checked: `pytest test_shop.py` passes."
    assert "`pytest test_shop.py` fails already" in project.do("simplify", short).note


@needs_sandbox
def test_tests_expect_what_the_function_gives(project: Project) -> None:
    """Not what the model says; what tells nothing is left out, and so is what cannot be written as code."""
    right = project.shop.replace("result += prices", "result += price")
    calls = ["total([1, 2]) == 4", "total([]) == 1", "total(None) == 0", "total is None", "total([5]) > 7"]
    head = "```python\nfrom shop import total\n\n\ndef test_total_2():\n"
    tests = "".join([head, *(f"    assert {call}\n" for call in calls), "```\n"])
    result = project.do("tests", tests, document=right)
    assert result.edit is not None, result.detail
    assert [line for line in result.edit.lines if line.startswith("    ")] == [
        "    assert total([1, 2]) == 3",
        "    assert total([]) == 0",
        "    with pytest.raises(TypeError):",
        "        total(None)",
        "    assert not (total([5]) > 7)",
    ]
    assert "the expected values are what `total` gives now, right or wrong" in result.note
    telling_nothing = f"{head}    assert total([1]).__class__ is int\n```\n"
    assert project.do("tests", telling_nothing, document=right).reason == "not-proved"


def test_what_cannot_be_run_is_not_asked_for(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says so: no command is known, or there is no sandbox."""
    monkeypatch.setattr("midfill.actions.proving.can_run", lambda: False)
    assert "has no sandbox" in project.do("fix", body(RIGHT)).note
    (project.folder / "check.py").unlink()
    assert "no test or command of this code was found" in project.do("fix", body(RIGHT)).note
    assert project.asked == []
