"""Evaluation suites: how often the whole pipeline, as the server runs it, fills a gap rightly."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from midfill.errors import UsageError
from midfill.evals.humaneval import single_line_tasks
from midfill.evals.report import Report
from midfill.evals.runner import Complete, Progress, run_tasks
from midfill.evals.tasks import Task, spread

SUITES: Mapping[str, Callable[[], list[Task]]] = {"humaneval-single": single_line_tasks}


def run(suite: str, complete: Complete, limit: int | None, progress: Progress, *, spread_out: bool = False) -> Report:
    """Run a suite, or its first ``limit`` tasks as other harnesses do; ``spread_out`` takes them evenly from all.

    The first tasks of HumanEval are its easier ones: spread them to estimate the whole.

    Raises:
        UsageError: There is no such suite, or the limit is less than one.
        EvalError: The suite's problems are not installed.
    """
    if suite not in SUITES:
        raise UsageError(f"There is no suite '{suite}'; the suites are {', '.join(SUITES)}.")
    if limit is not None and limit < 1:
        raise UsageError(f"The limit must be at least 1, not {limit}.")
    tasks = SUITES[suite]()
    if limit is None or limit >= len(tasks):
        return run_tasks(suite, "all", tasks, complete, progress)
    if spread_out:
        return run_tasks(suite, f"{limit} spread over {len(tasks)}", spread(tasks, limit), complete, progress)
    return run_tasks(suite, f"first {limit} of {len(tasks)}", tasks[:limit], complete, progress)
