"""Runs the tasks of a suite of gaps, one after the other. A program is checked while the next gap is completed."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from midfill.completion.types import Completion, Request
from midfill.evals.report import EvalReport, TaskResult
from midfill.evals.tasks import EvalTask
from midfill.running.sandbox import RunResult, run_python

Complete = Callable[[Request], Completion]
"""Answers a request."""
OnProgress = Callable[[int, int], None]
"""Called with the number of finished tasks, and the number of all tasks."""

_MAX_SECONDS = 10.0
"""Limit for one program."""
_MAX_MEGABYTES = 512


def run_tasks(
    suite: str,
    selection: str,
    tasks: list[EvalTask],
    complete: Complete,
    progress: OnProgress,
    *,
    missing: tuple[str, ...] = (),
) -> EvalReport:
    """Complete every gap, check the completed programs that have checks, and return the report.

    ``missing`` are the groups without tasks; see :attr:`midfill.evals.report.EvalReport.missing`.
    """
    # Only one thread, because the model needs the other cores.
    checker = ThreadPoolExecutor(max_workers=1)
    try:
        pending: list[tuple[EvalTask, Completion, float, Future[RunResult] | None]] = []
        for done, task in enumerate(tasks, start=1):
            started = time.perf_counter()
            completion = complete(task.request())
            milliseconds = (time.perf_counter() - started) * 1000
            checked = checker.submit(_check, task.program(completion)) if task.checks else None
            pending.append((task, completion, milliseconds, checked))
            progress(done, len(tasks))
        results = tuple(
            _result(task, answer, elapsed, checked.result() if checked else None)
            for task, answer, elapsed, checked in pending
        )
    finally:
        checker.shutdown(cancel_futures=True)
    return EvalReport(suite=suite, selection=selection, model=pending[0][1].model, rows=results, missing=missing)


def _check(program: str) -> RunResult:
    return run_python(program, seconds=_MAX_SECONDS, megabytes=_MAX_MEGABYTES)


def _result(task: EvalTask, completion: Completion, milliseconds: float, run: RunResult | None) -> TaskResult:
    return TaskResult(
        task=task.name,
        group=task.group,
        expected=task.expected,
        completion=completion.text,
        exact=task.is_exact(completion),
        similarity=task.similarity(completion),
        passed=run.passed if run else None,
        reason=run.reason if run else completion.reason,
        tokens=completion.tokens,
        milliseconds=milliseconds,
    )
