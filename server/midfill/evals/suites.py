"""The names of all suites, and how the suites of gaps are run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from midfill.common.errors import UsageError
from midfill.evals import humaneval, languages
from midfill.evals.report import EvalReport
from midfill.evals.runner import Complete, OnProgress, run_tasks
from midfill.evals.tasks import EvalTask, Item, spread


@dataclass(frozen=True)
class Suite:
    """A suite of gaps in documents. One suggestion is requested for each gap."""

    tasks: Callable[[], list[EvalTask]]
    default_limit: int | None = None
    """Number of tasks, taken evenly from all, that run without ``--limit``; None for all. All may take hours."""
    groups: tuple[str, ...] = ()
    """The groups that the tasks should be in. The report names a group that has no tasks."""
    max_lines: int = 0
    """Minimum value of the setting ``max_lines`` that the suite needs."""
    max_tokens: int = 0
    """Minimum value of the setting ``max_tokens`` that the suite needs."""


GAP_SUITES: Mapping[str, Suite] = {
    "humaneval-single": Suite(humaneval.single_line_tasks),
    "humaneval-multi": Suite(
        humaneval.multi_line_tasks, 300, max_lines=humaneval.MAX_LINES, max_tokens=humaneval.MAX_TOKENS
    ),
    "humaneval-span": Suite(humaneval.span_tasks, 300, max_lines=humaneval.MAX_LINES, max_tokens=humaneval.MAX_TOKENS),
    "languages": Suite(languages.tasks, groups=languages.NAMES),
}
REPO, REPLAY, ACTIONS, NEEDLE = "repo", "replay", "actions", "needle"
MULTIPL_E, MT_BENCH, EDITS = "multipl-e", "mt-bench-coding", "edits"
QUANT = "quant"
"""Measures ways to quantise, not a bundle; ``midfill_export`` runs it."""
SUITES = (*GAP_SUITES, REPO, REPLAY, ACTIONS, NEEDLE, MULTIPL_E, MT_BENCH, EDITS, QUANT)
OPTIONS: Mapping[str, frozenset[str]] = {
    "only": frozenset({ACTIONS, EDITS}),
    "resume": frozenset({ACTIONS, MULTIPL_E, EDITS}),
    "lengths": frozenset({NEEDLE}),
    "data": frozenset({MULTIPL_E, MT_BENCH, EDITS}),
    "older": frozenset({EDITS}),
    "out": frozenset({MT_BENCH}),
    "source": frozenset({QUANT}),
    "without": frozenset({*GAP_SUITES, REPO, REPLAY, ACTIONS, NEEDLE, EDITS}),
}
"""The suites that have an option. Options that are not listed here belong to all suites."""


def run(
    suite: str, complete: Complete, limit: int | None, progress: OnProgress, *, spread_out: bool = False
) -> EvalReport:
    """Run a suite of gaps.

    Args:
        suite: a name in ``GAP_SUITES``.
        complete: answers a request.
        limit: maximum number of tasks; None for the suite's own limit, or all.
        progress: called after each task.
        spread_out: whether the tasks are taken evenly from all of them, not the first ones. The first tasks of
            HumanEval are its easier ones, so an estimate of the whole suite needs this.

    Raises:
        UsageError: there is no such suite, or the limit is less than 1.
        EvalError: the suite's data is not installed.
    """
    if suite not in GAP_SUITES:
        raise UsageError(f"there is no suite '{suite}'; the suites are {', '.join(SUITES)}.")
    if limit is not None and limit < 1:
        raise UsageError(f"the limit must be at least 1, not {limit}.")
    tasks = GAP_SUITES[suite].tasks()
    found = {task.group for task in tasks}
    missing = tuple(group for group in GAP_SUITES[suite].groups if group not in found)
    chosen, selection = choose(tasks, limit, GAP_SUITES[suite].default_limit, spread_out=spread_out)
    return run_tasks(suite, selection, chosen, complete, progress, missing=missing)


def choose(
    tasks: list[Item], limit: int | None, default_limit: int | None, *, spread_out: bool
) -> tuple[list[Item], str]:
    """Return the tasks to run, and a description of the selection, such as "first 5 of 10".

    See :func:`run` for ``limit`` and ``spread_out``. The tasks of a ``default_limit`` are always spread.
    """
    if limit is None and default_limit is not None:
        limit, spread_out = default_limit, True
    if limit is None or limit >= len(tasks):
        return tasks, "all"
    if spread_out:
        return spread(tasks, limit), f"{limit} spread over {len(tasks)}"
    return tasks[:limit], f"first {limit} of {len(tasks)}"
