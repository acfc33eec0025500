"""The suite ``actions``: code actions on HumanEval's functions.

It counts how many edits are right when they are run, and how many leave other lines of the file unchanged.
"""

from __future__ import annotations

import dataclasses
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from midfill.actions import ACTIONS, ActionResult, ActionTask, perform
from midfill.actions.action import Runs
from midfill.actions.checked_edit import Edit
from midfill.chat.conversation import Conversation
from midfill.common.cancel import CancelFlag
from midfill.common.errors import EvalError, UsageError
from midfill.evals.action_tasks import TRIALS, HumanEvalFunction, Judgement, parses, touches_other_lines
from midfill.evals.report import Rate
from midfill.evals.resume_file import append_result, read_results
from midfill.evals.runner import OnProgress
from midfill.privacy.ignore_rules import IgnoreRules

DEFAULT_TASKS = 40
"""Number of functions, taken evenly from all, that are measured without ``--limit``."""

_TESTED = ("fix", "simplify")
"""The actions whose project has the function's tests, if code may be run."""
Perform = Callable[[str, ActionTask], ActionResult]
"""Runs an action, given its name and its task."""


@dataclass(frozen=True, kw_only=True)
class TrialResult:
    """The result of one action on one function."""

    model: str
    action: str
    task: str
    passed: bool
    reason: str
    """A code that says why it did not pass; "" if it passed."""
    detail: str
    """More about the reason."""
    applied: bool
    """Whether there was an edit. If not, ``reason`` is the action's reason for having none."""
    parses: bool | None
    """Whether the edited file is valid Python; None without an edit."""
    touches_other_lines: bool | None
    """Whether the edit changes more than the function; None without an edit."""
    answers: int
    """Number of answers that the action requested from the model."""
    tokens: int
    """Number of generated tokens of all answers."""
    milliseconds: float
    """Time of the whole action."""
    text: str
    """The lines of the edit; without an edit, the model's last answer."""


@dataclass(frozen=True)
class ActionScores:
    """The totals of one action."""

    rows: Sequence[TrialResult]

    @property
    def passed(self) -> Rate:
        """The share of tasks with a right edit. A task without an edit is not right."""
        return Rate(sum(row.passed for row in self.rows), len(self.rows))

    @property
    def edits(self) -> list[TrialResult]:
        """The results with an edit."""
        return [row for row in self.rows if row.applied]

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        edits = self.edits
        return {
            "tasks": len(self.rows),
            "passed": self.passed.to_json(),
            "edits": len(edits),
            "passed_of_edits": Rate(sum(row.passed for row in edits), len(edits)).to_json(),
            "parse": Rate(sum(bool(row.parses) for row in edits), len(edits)).to_json(),
            "touch_other_lines": sum(bool(row.touches_other_lines) for row in edits),
            "refused": dict(Counter(row.reason for row in self.rows if not row.applied).most_common()),
            "wrong": dict(Counter(row.reason for row in edits if not row.passed).most_common()),
            "asked_twice": sum(row.answers > 1 for row in self.rows),
            "tokens": sum(row.tokens for row in self.rows),
            "milliseconds": statistics.median(row.milliseconds for row in self.rows),
        }

    def to_text(self, name: str) -> str:
        """Return two lines for a terminal."""
        found = self.to_json()
        reasons = ", ".join(f"{count} {reason}" for reason, count in {**found["refused"], **found["wrong"]}.items())
        return (
            f"  {name:<9} {self.passed}\n            {found['edits']} edits, {found['parse']['count']} parse,"
            f" {found['touch_other_lines']} touch other lines; {found['asked_twice']} asked twice;"
            f" median {found['milliseconds'] / 1000:.1f} s; not right: {reasons or 'none'}"
        )


@dataclass(frozen=True, kw_only=True)
class ActionsReport:
    """The results of all actions; there is at least one result."""

    selection: str
    model: str
    rows: tuple[TrialResult, ...]
    title: str = "functions of HumanEval"

    @property
    def scores(self) -> dict[str, ActionScores]:
        """The totals of each action, by its name."""
        names = dict.fromkeys(row.action for row in self.rows)
        return {name: ActionScores([row for row in self.rows if row.action == name]) for name in names}

    def to_json(self, *, rows: bool = False) -> dict[str, Any]:
        """Return the report as JSON values, with every result if ``rows``."""
        summary: dict[str, Any] = {
            "suite": "actions",
            "selection": self.selection,
            "model": self.model,
            "actions": {name: scores.to_json() for name, scores in self.scores.items()},
        }
        if rows:
            summary["rows"] = [dataclasses.asdict(row) for row in self.rows]
        return summary

    def to_text(self) -> str:
        """Return a few lines for a terminal."""
        title = f"actions: {self.title} ({self.selection}), model {self.model or 'unknown'}"
        return "\n".join([title, *(scores.to_text(name) for name, scores in self.scores.items())])


def names(text: str | None) -> tuple[str, ...]:
    """Read the names of actions, separated by commas; None means all that can be measured.

    Raises:
        UsageError: one of them cannot be measured.
    """
    chosen = tuple(part.strip() for part in text.split(",")) if text else tuple(TRIALS)
    for unknown in (name for name in chosen if name not in TRIALS):
        raise UsageError(f"the action '{unknown}' cannot be measured: choose from {', '.join(TRIALS)}.")
    return chosen


def performed_by(conversation: Conversation) -> Perform:
    """Return what runs actions as `midfill do` does."""
    return lambda name, task: perform(ACTIONS[name], task, conversation, CancelFlag())


def run(
    do: Perform,
    model: str,
    actions: Sequence[str],
    problems: Sequence[HumanEvalFunction],
    selection: str,
    progress: OnProgress,
    resume: Path | None = None,
    *,
    run_code: bool = False,
) -> ActionsReport:
    """Run each action on each function. With ``run_code``, actions may run it, `fix` and `simplify` with its tests.

    Each result is added to the file ``resume`` at once. A task whose result for this model is in the file is not run
    again.

    Raises:
        EvalError: the file cannot be read or written, or no action can be measured on these functions.
    """
    known = {(row.action, row.task): row for row in read_results(resume, TrialResult) if row.model == model}
    rows: list[TrialResult] = []
    with tempfile.TemporaryDirectory(prefix="midfill-eval-") as folder:
        for done, (action, problem) in enumerate(((a, p) for a in actions for p in problems), start=1):
            row = known.get((action, problem.name)) or _row(
                do, model, action, problem, Path(folder).resolve(), run_code=run_code
            )
            if row:
                rows.append(row)
                if (action, problem.name) not in known:
                    append_result(resume, row)
            progress(done, len(actions) * len(problems))
    if not rows:
        raise EvalError("these actions cannot be measured on these functions: take more with a larger --limit.")
    return ActionsReport(selection=selection, model=model, rows=tuple(rows))


def _runs(action: str, problem: HumanEvalFunction, project: Path) -> Runs:
    """Return what may be run of a function's project, which has its tests unless the action writes tests."""
    project.mkdir(parents=True, exist_ok=True)
    if action in _TESTED:
        (project / f"test_{problem.stem}.py").write_text(problem.tests, encoding="utf-8")
    return Runs(project, IgnoreRules([project]), lambda *_: True, sys.executable)


def _row(
    do: Perform, model: str, action: str, problem: HumanEvalFunction, folder: Path, *, run_code: bool
) -> TrialResult | None:
    project = folder / action / problem.stem
    task = TRIALS[action].make(problem, project)
    if task is None:
        return None
    if run_code:
        task = replace(task, runs=_runs(action, problem, project))
    source = task.selection.document
    name = problem.name
    found = result_of(do, model, action, name, task, action, lambda edited: _judged(problem, action, source, edited))
    if found.edit is None:
        return found.row
    return replace(found.row, touches_other_lines=touches_other_lines(problem, source, found.edit))


def _judged(problem: HumanEvalFunction, action: str, source: str, edited: str) -> Judgement:
    return TRIALS[action].judge(problem, source, edited) if parses(edited) else Judgement("does-not-parse")


@dataclass(frozen=True)
class Trialled:
    """A result, and the edit that it is about; None if there was none."""

    row: TrialResult
    edit: Edit | None


def result_of(
    do: Perform,
    model: str,
    shown: str,
    name: str,
    task: ActionTask,
    action: str,
    judge: Callable[[str], Judgement],
) -> Trialled:
    """Do an action, and return its result.

    Args:
        do: does the action.
        model: the model's name.
        shown: the action's name in the report.
        name: the task's name.
        task: the lines.
        action: the action.
        judge: judges the text of the changed file.
    """
    started = time.perf_counter()
    outcome = do(action, task)
    milliseconds = (time.perf_counter() - started) * 1000
    edit = outcome.edit
    judgement, fits = Judgement(str(outcome.reason or ""), outcome.detail), None
    text = outcome.answers[-1].text if outcome.answers else ""
    if edit:
        text = "\n".join(edit.lines)
        edited = edit.apply("" if edit.path else task.selection.document)
        fits, judgement = parses(edited), judge(edited)
    row = TrialResult(
        model=model,
        action=shown,
        task=name,
        passed=not judgement.reason,
        reason=judgement.reason,
        detail=judgement.detail,
        applied=edit is not None,
        parses=fits,
        touches_other_lines=None,
        answers=len(outcome.answers),
        tokens=sum(answer.tokens for answer in outcome.answers),
        milliseconds=milliseconds,
        text=text,
    )
    return Trialled(row, edit)
