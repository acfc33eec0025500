"""Run the tasks of a suite one after the other; a program is checked while the next completion is decoded."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from midfill.completion import Completion, Request
from midfill.evals.report import Report, Row
from midfill.evals.sandbox import Outcome, run_python
from midfill.evals.tasks import Task

Complete = Callable[[Request], Completion]
Progress = Callable[[int, int], None]
"""Called with the number of tasks done, and of all tasks."""

SECONDS = 10.0
MEGABYTES = 512


def run_tasks(suite: str, selection: str, tasks: list[Task], complete: Complete, progress: Progress) -> Report:
    """Complete every task, check every completed program, and report."""
    check = partial(run_python, seconds=SECONDS, megabytes=MEGABYTES)
    # One thread: the model needs the other cores.
    checker = ThreadPoolExecutor(max_workers=1)
    try:
        pending = []
        for done, task in enumerate(tasks, start=1):
            started = time.perf_counter()
            completion = complete(task.request())
            milliseconds = (time.perf_counter() - started) * 1000
            pending.append((task, completion, milliseconds, checker.submit(check, task.program(completion))))
            progress(done, len(tasks))
        rows = tuple(_row(task, answer, elapsed, checked.result()) for task, answer, elapsed, checked in pending)
    finally:
        checker.shutdown(cancel_futures=True)
    return Report(suite=suite, selection=selection, model=pending[0][1].model, rows=rows)


def _row(task: Task, completion: Completion, milliseconds: float, outcome: Outcome) -> Row:
    return Row(
        task=task.name,
        expected=task.expected,
        completion=completion.text,
        exact=task.is_exact(completion),
        passed=outcome.passed,
        reason=outcome.reason,
        tokens=completion.tokens,
        milliseconds=milliseconds,
    )
