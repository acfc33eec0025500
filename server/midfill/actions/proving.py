"""Which proof an action's edits get: what may be run, in what copy, and what judges the edits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from midfill.actions.action import Action, ActionTask, Proves
from midfill.actions.proof import NO_SANDBOX, Judge, Listener, Verdict, begun, command_of
from midfill.actions.tested_values import TestedValues
from midfill.common.cancel import CancelFlag
from midfill.running.jail import can_run, jail_of
from midfill.running.project_copy import copy_project
from midfill.running.python_commands import Command, interpreter_of, module_of


@contextmanager
def proof_of(
    action: Action, task: ActionTask, cancel: CancelFlag, on_progress: Listener
) -> Iterator[Judge | Verdict | None]:
    """Yield what judges edits; a verdict that says why they cannot be judged; or None if the action needs no proof.

    Raises:
        Cancelled: the action was cancelled.
    """
    if action.proves is Proves.NOTHING:
        yield None
        return
    if task.runs is None:
        yield Verdict(None, "`runCode` does not allow it")
        return
    is_python = task.selection.language.grammar == "python"
    python = (task.runs.python or interpreter_of(task.runs.project)) if is_python else None
    command = _command(action, task, python) if python else None
    if python is None or command is None:
        yield Verdict(None, "no test or command of this code was found")
    elif not can_run():
        yield Verdict(None, NO_SANDBOX)
    elif not task.runs.allowed(command.name, cancel):
        yield Verdict(None, "you did not allow it")
    else:
        with jail_of(task.runs.project) as jail:
            if not copy_project(jail, task.runs.rules, task.open_text):
                yield Verdict(None, "the project is too large to be copied")
                return
            document = Path(task.selection.path)
            jail.write(document, task.selection.document)
            on_progress(f"running {command.name}")
            if action.proves is Proves.VALUES:
                module, root = module_of(document)
                yield TestedValues(task, jail, python, module, root, cancel)
            else:
                yield begun(action, task, jail, command, cancel, on_progress)


def _command(action: Action, task: ActionTask, python: str) -> Command | None:
    assert task.runs is not None  # noqa: S101 -- asked by the caller
    if action.proves is not Proves.VALUES:
        return command_of(action, task, task.runs, python)
    found = task.selection.definition
    return Command((python,), f"{found.name}(...)") if found and found.kind == "function" else None
