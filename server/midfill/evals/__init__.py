"""Evaluation suites: how often the whole pipeline, as the server runs it, fills a gap rightly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from midfill.common.errors import UsageError
from midfill.evals import humaneval, languages
from midfill.evals.report import EvalReport
from midfill.evals.runner import Complete, OnCounted, run_tasks
from midfill.evals.tasks import EvalTask, Item, spread


@dataclass(frozen=True)
class Suite:
    """Gaps in documents, each asked for once."""

    tasks: Callable[[], list[EvalTask]]
    usual: int | None = None
    """How many tasks, spread over all, are enough for an estimate, when all would take hours."""
    groups: tuple[str, ...] = ()
    """Groups that the tasks should be of; one without tasks is reported."""
    max_lines: int = 0
    max_tokens: int = 0
    """What the settings must allow, 0 for what they do."""


GAPS: Mapping[str, Suite] = {
    "humaneval-single": Suite(humaneval.single_line_tasks),
    "humaneval-multi": Suite(
        humaneval.multi_line_tasks, 300, max_lines=humaneval.MOST_LINES, max_tokens=humaneval.MOST_TOKENS
    ),
    "humaneval-span": Suite(
        humaneval.span_tasks, 300, max_lines=humaneval.MOST_LINES, max_tokens=humaneval.MOST_TOKENS
    ),
    "languages": Suite(languages.tasks, groups=languages.NAMES),
}
REPO, REPLAY, ACTIONS, NEEDLE = "repo", "replay", "actions", "needle"
MULTIPL_E, MT_BENCH = "multipl-e", "mt-bench-coding"
QUANT = "quant"
"""Of ways to quantise, not of a bundle: the export's."""
SUITES = (*GAPS, REPO, REPLAY, ACTIONS, NEEDLE, MULTIPL_E, MT_BENCH, QUANT)
OPTIONS: Mapping[str, frozenset[str]] = {
    "only": frozenset({ACTIONS}),
    "resume": frozenset({ACTIONS, MULTIPL_E}),
    "lengths": frozenset({NEEDLE}),
    "data": frozenset({MULTIPL_E, MT_BENCH}),
    "out": frozenset({MT_BENCH}),
    "source": frozenset({QUANT}),
    "without": frozenset({*GAPS, REPO, REPLAY, ACTIONS, NEEDLE}),
}
"""Which suites have an option; the others go with all."""


def run(
    suite: str, complete: Complete, limit: int | None, progress: OnCounted, *, spread_out: bool = False
) -> EvalReport:
    """Run a suite of gaps, or its first ``limit`` tasks as other harnesses do; ``spread_out`` takes them from all.

    The first tasks of HumanEval are its easier ones: spread them to estimate the whole. A suite that would take hours
    does so itself when there is no limit.

    Raises:
        UsageError: There is no such suite, or the limit is less than one.
        EvalError: What the suite is made of is not installed.
    """
    if suite not in GAPS:
        raise UsageError(f"There is no suite '{suite}'; the suites are {', '.join(SUITES)}.")
    if limit is not None and limit < 1:
        raise UsageError(f"The limit must be at least 1, not {limit}.")
    tasks = GAPS[suite].tasks()
    found = {task.group for task in tasks}
    missing = tuple(group for group in GAPS[suite].groups if group not in found)
    chosen, selection = choose(tasks, limit, GAPS[suite].usual, spread_out=spread_out)
    return run_tasks(suite, selection, chosen, complete, progress, missing=missing)


def choose(tasks: list[Item], limit: int | None, usual: int | None, *, spread_out: bool) -> tuple[list[Item], str]:
    """Return the tasks to run, and which they are in words."""
    if limit is None and usual is not None:
        limit, spread_out = usual, True
    if limit is None or limit >= len(tasks):
        return tasks, "all"
    if spread_out:
        return spread(tasks, limit), f"{limit} spread over {len(tasks)}"
    return tasks[:limit], f"first {limit} of {len(tasks)}"
