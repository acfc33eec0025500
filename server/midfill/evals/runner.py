"""Run the tasks of a suite one after the other; a program is checked while the next completion is decoded."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from midfill.completion.types import Completion, Request
from midfill.evals.report import EvalReport, TaskResult
from midfill.evals.sandbox import RunResult, run_python
from midfill.evals.tasks import EvalTask

Complete = Callable[[Request], Completion]
OnProgress = Callable[[int, int], None]
"""Called with the number of tasks done, and of all tasks."""

SECONDS = 10.0
MEGABYTES = 512


def run_tasks(
    suite: str,
    selection: str,
    tasks: list[EvalTask],
    complete: Complete,
    progress: OnProgress,
    *,
    missing: tuple[str, ...] = (),
) -> EvalReport:
    """Complete every task, check every completed program that can be checked, and report."""
    # One thread: the model needs the other cores.
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
        rows = tuple(
            _row(task, answer, elapsed, checked.result() if checked else None)
            for task, answer, elapsed, checked in pending
        )
    finally:
        checker.shutdown(cancel_futures=True)
    return EvalReport(suite=suite, selection=selection, model=pending[0][1].model, rows=rows, missing=missing)


def _check(program: str) -> RunResult:
    return run_python(program, seconds=SECONDS, megabytes=MEGABYTES)


def _row(task: EvalTask, completion: Completion, milliseconds: float, outcome: RunResult | None) -> TaskResult:
    return TaskResult(
        task=task.name,
        group=task.group,
        expected=task.expected,
        completion=completion.text,
        exact=task.is_exact(completion),
        similarity=task.similarity(completion),
        passed=outcome.passed if outcome else None,
        reason=outcome.reason if outcome else completion.reason,
        tokens=completion.tokens,
        milliseconds=milliseconds,
    )
