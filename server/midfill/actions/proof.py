"""Proof by running: what a change does to a failed command, or to the tests of the changed code.

Nothing is run unless the task says that it may be.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from midfill.actions.action import Action, ActionTask, Proves, Runs
from midfill.actions.checked_edit import Edit
from midfill.actions.fix import essence
from midfill.code.source_files import read_text
from midfill.common.cancel import CancelFlag
from midfill.privacy.secrets import redact
from midfill.retrieval.related_files import is_test
from midfill.running.jail import Jail, Outcome
from midfill.running.project_copy import test_files
from midfill.running.python_commands import (
    NO_PYTEST,
    Command,
    failed_command,
    pytest_command,
    seconds_of,
)

_SECONDS, _MEGABYTES = 60, 4_096
_MAX_TEST_FILES, _MAX_SEARCHED_FILES = 3, 500
_MIN_SECONDS = 0.05
"""Tests that take less tell nothing about speed."""
_SLOWER = 1.05
"""How much longer the tests may take after code was made faster."""
NO_SANDBOX = "this machine has no sandbox for it (Linux with user namespaces)"
Listener = Callable[[str], None]


@dataclass(frozen=True)
class Verdict:
    """What running showed of a change."""

    passed: bool | None
    """None if it could not be judged."""
    said: str
    """Why, in words for people and for the model."""
    edit: Edit | None = None
    """A better edit; None for the one that was judged."""


class Judge(Protocol):
    """Judges edits by running code."""

    def judge(self, edit: Edit) -> Verdict:
        """Say what running shows of an edit.

        Raises:
            Cancelled: the action was cancelled.
        """


@dataclass
class Proof:
    """Judges changes of one document by a command that was run before them."""

    task: ActionTask
    jail: Jail
    command: Command
    before: Outcome
    """How the command ended before any change."""
    proves: Proves
    cancel: CancelFlag
    on_progress: Listener
    _seconds: float = field(default=0.0)
    """How long the tests took before any change."""

    def judge(self, edit: Edit) -> Verdict:
        """Run the command on a changed copy.

        Raises:
            Cancelled: the action was cancelled.
        """
        document = Path(self.task.selection.path)
        self.on_progress(f"running {self.command.name}")
        self.jail.write(document, edit.apply(self.task.selection.document))
        try:
            after = _run(self.jail, self.command, self.cancel)
        finally:
            self.jail.write(document, self.task.selection.document)
        if after.code is None:
            return Verdict(False, f"`{self.command.name}` does not end within {_SECONDS} s")
        if after.code != 0:
            return Verdict(False, f"`{self.command.name}` fails:\n\n{_report(after)}")
        if self.proves is Proves.FASTER:
            return self._compared(_seconds(self.jail))
        return Verdict(True, f"`{self.command.name}` passes")

    def _compared(self, seconds: float) -> Verdict:
        if self._seconds < _MIN_SECONDS:
            return Verdict(True, f"`{self.command.name}` passes, too quickly to tell which code is faster")
        if seconds > self._seconds * _SLOWER:
            return Verdict(False, f"`{self.command.name}` takes {seconds:.2f} s instead of {self._seconds:.2f} s")
        return Verdict(True, f"`{self.command.name}` passes in {seconds:.2f} s instead of {self._seconds:.2f} s")


def begun(
    action: Action, task: ActionTask, jail: Jail, command: Command, cancel: CancelFlag, on_progress: Listener
) -> Proof | Verdict:
    """Run the command on the code as it is; return what judges changes, or why they cannot be judged."""
    before = _run(jail, command, cancel)
    if NO_PYTEST in before.output:
        return Verdict(None, f"pytest is not installed for {command.words[0]}")
    mends = action.proves is Proves.MENDS
    if mends and before.code == 0:
        return Verdict(None, f"`{command.name}` does not fail here")
    if not mends and before.code != 0:
        return Verdict(None, f"`{command.name}` fails already")
    return Proof(task, jail, command, before, action.proves, cancel, on_progress, _seconds(jail))


def command_of(action: Action, task: ActionTask, runs: Runs, python: str) -> Command | None:
    """Return the command that tells whether an edit is right; None if none is known."""
    if action.proves is Proves.MENDS:
        return failed_command(task.message, runs.project, python)
    found = task.selection.definition
    if found is None:
        return None
    uses = re.compile(rf"\b{re.escape(found.name)}\b")
    searched = test_files(runs.rules, is_test, _MAX_SEARCHED_FILES)
    tests = [path for path in searched if path.suffix == ".py" and uses.search(read_text(path) or "")]
    names = [path.relative_to(runs.project).as_posix() for path in tests[:_MAX_TEST_FILES]]
    report = "report.xml"
    return pytest_command(python, names, report) if names else None


def _run(jail: Jail, command: Command, cancel: CancelFlag) -> Outcome:
    outcome = jail.run(command.words, seconds=_SECONDS, megabytes=_MEGABYTES, cancel=cancel)
    return outcome or Outcome(code=1, output=NO_SANDBOX, seconds=0.0)


def _seconds(jail: Jail) -> float:
    return seconds_of(read_text(jail.tree / "report.xml") or "")


def _report(outcome: Outcome) -> str:
    """Return the end of what a command wrote, as an action may see it."""
    return essence(redact(outcome.output).text)
