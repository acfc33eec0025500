"""The suite ``edits`` of `midfill eval`: reads the options, and asks."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from midfill.common.errors import EvalError, UsageError
from midfill.evals import suites
from midfill.evals.edits import asking, sources
from midfill.evals.edits.report import EditsReport
from midfill.evals.edits.tasks import EditTask, cut
from midfill.evals.runner import OnProgress
from midfill.inference.token_generator import LanguageModel
from midfill.next_edit.predictor import EditPredictor

_DEFAULT_TASKS = 300
"""Number of hunks, and of quiet windows, that are asked about without ``--limit``."""


@dataclass(frozen=True)
class Questions:
    """What is asked."""

    asked: Sequence[tuple[str, EditTask]]
    """Questions (:data:`midfill.evals.edits.asking.QUESTIONS`) and their tasks."""
    selection: str
    """Which tasks they are about, in words."""


def questions(args: argparse.Namespace) -> Questions:
    """Read what the options name.

    Raises:
        UsageError: an option names what there is not.
        EvalError: there is nothing to measure on.
    """
    chosen = asking.questions(args.only)
    if args.older is not None and args.data is None:
        raise UsageError("--older names the release before another one: name that one with --data.")
    found = cut(sources.changes(args.data, args.older))
    limit = args.limit or _DEFAULT_TASKS
    hunks, of_hunks = suites.choose(list(found.hunks), limit, None, spread_out=args.spread)
    quiet, of_quiet = suites.choose(list(found.quiet), limit, None, spread_out=args.spread)
    tasks = {asking.GIVEN: hunks, asking.FOUND: hunks, asking.QUIET: quiet}
    asked = [(question, task) for question in chosen for task in tasks[question]]
    if not asked:
        raise EvalError("no file has two to six small changes: name a longer history, or other releases, with --data.")
    selection = f"hunks ({of_hunks}: {_kinds(hunks)}), quiet windows ({of_quiet}: {_kinds(quiet)})"
    return Questions(asked, selection)


def run(
    model: LanguageModel,
    questions: Questions,
    ablations: frozenset[str],
    resume: Path | None,
    progress: OnProgress,
) -> EditsReport:
    """Ask, and return the report.

    Raises:
        EvalError: the file ``resume`` cannot be read or written.
        ModelError: the model failed.
    """
    predictor = EditPredictor(model, ablations=ablations)
    name = model.manifest.name
    rows = asking.run(predictor, name, ", ".join(sorted(ablations)), questions.asked, progress, resume)
    return EditsReport(selection=questions.selection, model=name, rows=rows)


def _kinds(tasks: Sequence[EditTask]) -> str:
    names = sorted({task.kind for task in tasks})
    return ", ".join(f"{sum(task.kind == name for task in tasks)} {name}" for name in names) or "none"
