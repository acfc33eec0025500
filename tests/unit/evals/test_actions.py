"""The suite ``actions``: its mutants, how it judges edits, and its report."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from midfill.actions import ActionResult, ActionTask
from midfill.actions.checked_edit import Edit
from midfill.chat.conversation import Conversation
from midfill.cli.main import main
from midfill.common.errors import EvalError, UsageError
from midfill.evals import actions
from midfill.evals.action_tasks import TRIALS, HumanEvalFunction, parses, touches_other_lines
from midfill.running.jail import can_run
from midfill.running.mutants import mutants
from midfill.running.sandboxed_pytest import run_pytest
from unit.actions.test_perform import conversation, fenced

PROMPT = '''import math


def twice(n):
    return 2 * n


def largest(numbers, least):
    """Return the largest of the numbers, or least if all are below it.

    >>> largest([1, 3, 2], 0)
    3
    """
'''
SOLUTION = """    found = least
    for n in numbers:
        if n > found:
            found = n
    return found
"""
TEST = """def check(candidate):
    assert candidate([1, 3, 2], 0) == 3
    assert candidate([], 5) == 5
    assert candidate([7, 7], 5) == 7
"""
PROBLEM = HumanEvalFunction("HumanEval/908", PROMPT, SOLUTION, TEST, "largest")
NO_MISTAKE = HumanEvalFunction("HumanEval/901", 'def one(x):\n    """One."""\n', "    return x\n", TEST, "one")
TESTED = "from humaneval_908 import largest\n\n\ndef test_largest():\n    assert largest("
DECLARED = PROMPT[PROMPT.index("def largest") :]


def ignored(done: int, total: int) -> None:
    """Check the progress, and ignore it."""
    assert 0 < done <= total


def rows(action: str, *replies: str, problem: HumanEvalFunction = PROBLEM) -> list[actions.TrialResult]:
    """Run one action with a model that gives these answers in turn; return the results."""
    report = run(conversation(*replies)[0], action, problem=problem)
    assert report.model == "tiny"
    return list(report.rows)


def run(
    talk: Conversation, *names: str, problem: HumanEvalFunction = PROBLEM, resume: Path | None = None
) -> actions.ActionsReport:
    """Run the suite on one problem."""
    do = actions.performed_by(talk)
    return actions.run(do, "tiny", names, [problem], "first 1 of 2", ignored, resume)


@pytest.mark.skipif(not can_run(), reason="this machine has no user namespaces")
def test_actions_may_run_code() -> None:
    """Without it, the first edit is taken; with it, the one that passes."""
    wrong = fenced(DECLARED + SOLUTION.replace("n > found", "n < found"))
    short = fenced(f"{DECLARED}    return max([least, *numbers])\n")

    def passes(run_code: bool) -> bool:
        do = actions.performed_by(conversation(wrong, short)[0])
        return actions.run(do, "tiny", ["simplify"], [PROBLEM], "all", ignored, run_code=run_code).rows[0].passed

    assert [passes(False), passes(True)] == [False, True]


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        ("return a < 1", {"a <= 1", "a < 2", "a < 0"}),
        ("return a not in (b)", {"a in (b)", "b not in (b)", "a not in (a)"}),
        ("a += 1", {"a -= 1", "a += 2", "a += 0"}),
        ("return not a and b", {"a and b", "not a or b", "not b and b", "not a and a"}),
        ("return True", {"return False"}),
        ("return (a) // len('ä' * 2)", {"(a) / len", "'ä' + 2", "'ä' * 3", "'ä' * 1"}),
        ("return a < b < 3", {"a < b < 4", "a < b < 2", "b < b < 3", "a < a < 3"}),
        ("return 'a' + c", {"'a' - c"}),
    ],
)
def test_mistakes_are_one_change_each(body: str, changes: set[str]) -> None:
    """Each operator has its mutants, each in one place; all are valid Python."""
    parameters = ", ".join(name for name in "ab" if f"{name} " in body or f" {name}" in body or f"({name}" in body)
    source = f"def f({parameters}):  # ö\n    {body}\n"
    made = mutants(source, 0, "seed")
    assert len(made) == len(changes)
    for change in changes:
        assert sum(change in mutant.source for mutant in made) == 1, change
    assert all(mutant.line == 1 and ast.parse(mutant.source) for mutant in made)


def test_kinds_of_mistakes_take_turns() -> None:
    """The seed decides the order; text before the first line never changes."""
    made = mutants(PROBLEM.source, PROMPT.count("\n"), "seed")
    assert made == mutants(PROBLEM.source, PROMPT.count("\n"), "seed")
    assert made != mutants(PROBLEM.source, PROMPT.count("\n"), "another")
    assert all(mutant.source.startswith(PROMPT) for mutant in made)
    assert "'>' became '>='" in {mutant.change for mutant in made[:2]}, "of two kinds, the one there is a single one of"


def test_mistake_is_one_that_the_tests_find() -> None:
    """It comes with pytest's report."""
    found = PROBLEM.mutant
    assert found is not None
    mutant, report = found
    assert PROBLEM.check(PROBLEM.source).passed
    assert not PROBLEM.check(mutant.source).passed
    assert "test_humaneval_908.py" in report
    assert "\nE  " in report
    assert NO_MISTAKE.mutant is None


def test_pytest_runs_in_the_sandbox() -> None:
    """A file without tests fails; processes and the network are refused."""

    def tested(tests: str) -> tuple[bool, str]:
        outcome = run_pytest({"a.py": "X = 1\n", "test_a.py": tests}, "test_a.py", seconds=20, megabytes=512)
        return outcome.passed, outcome.reason

    assert tested("import pytest\nfrom a import X\n\ndef test_x():\n    assert X == pytest.approx(1)\n") == (True, "")
    passed, reason = tested("from a import X\n\ndef test_x():\n    assert X == 2\n")
    assert (passed, reason.splitlines()[-1]) == (False, "E   assert 1 == 2")
    assert "cannot import name 'Y'" in tested("from a import Y\n\ndef test_x():\n    pass\n")[1]
    assert tested("X = 1\n") == (False, "pytest ended with exit code 5")
    assert not tested("import sys\nsys.exit(0)\n\ndef test_x():\n    pass\n")[0]
    assert not tested("import subprocess\n\ndef test_x():\n    subprocess.run(['true'])\n")[0]
    assert not tested("import socket\n\ndef test_x():\n    socket.socket()\n")[0]


@pytest.mark.parametrize(
    ("action", "answer", "reason"),
    [
        ("fix", fenced(DECLARED + SOLUTION), ""),
        ("fix", fenced(DECLARED + "    return 3"), "tests-fail"),
        ("fix", fenced(DECLARED + "    return ("), "syntax"),
        ("write", fenced(DECLARED + "    return max([least, *numbers])"), ""),
        ("write", fenced(DECLARED + "    return max(numbers)"), "tests-fail"),
        ("write", fenced(DECLARED + "    # to do"), "unchanged"),
        ("document", fenced('"""Give the largest.\n\n    numbers: some\n    least: the least\n    """'), ""),
        ("document", fenced('"""Give the largest of the numbers."""'), "parameter"),
        ("tests", fenced(f"{TESTED}[1, 3, 2], 0) == 3\n    assert largest([], 5) == 5\n"
                         "    assert largest([7, 7], 5) == 7"), ""),
        ("tests", fenced(f"{TESTED}[1], 0) == 2"), "wrong-test"),
        ("tests", fenced(f"{TESTED}[], 5) is not None"), "mutant-survives"),
        ("simplify", fenced(DECLARED + "    return max([least, *numbers])"), ""),
        ("simplify", fenced(DECLARED + "    return max(numbers)"), "tests-fail"),
        ("simplify", fenced(DECLARED + SOLUTION), "unchanged"),
    ],
)  # fmt: skip
def test_answers_are_judged_by_running_them(action: str, answer: str, reason: str) -> None:
    """Each action has its own check; an answer without a usable edit is refused with a reason."""
    (row,) = rows(action, answer)
    refused = reason in ("syntax", "parameter", "unchanged")
    assert (row.reason, row.passed, row.applied) == (reason, not reason, not refused), row.detail
    assert (row.parses, row.touches_other_lines) == ((None, None) if refused else (True, False))
    tried = 4 if (action, reason) == ("write", "unchanged") else 2 if refused and reason != "unchanged" else 1
    assert row.answers == tried


def test_functions_without_a_mistake_are_passed_over() -> None:
    """Without a mutant there is nothing to fix, and nothing to report."""
    with pytest.raises(EvalError, match="cannot be measured on these functions"):
        rows("fix", "none", problem=NO_MISTAKE)


def test_documentation_is_asked_for_where_there_is_none(tmp_path: Path) -> None:
    """Only the docstring is cut out; the cursor is on the declaration."""
    task = TRIALS["document"].make(PROBLEM, tmp_path)
    assert task is not None
    assert task.selection.document == PROBLEM.source.replace(PROMPT[PROMPT.index('    """') :], "")
    assert task.selection.lines == ["def largest(numbers, least):"]


@pytest.mark.parametrize(
    ("edit", "touches"),
    [
        (Edit(7, 8, ("def largest(numbers, least=0):",)), False),
        (Edit(7, 18, ("def largest(numbers, least):", "    return 1")), False),
        (Edit(6, 8, ("x = 1", "def largest(numbers, least):")), True),
        (Edit(17, 20, ("    return found", "x = 1")), True),
        (Edit(0, 0, ("",), "/x/test_humaneval_908.py"), False),
        (Edit(0, 0, ("",), "/x/humaneval_908.py"), True),
    ],
)
def test_what_an_edit_touches_is_compared_line_by_line(edit: Edit, touches: bool) -> None:
    """Everything outside the function counts."""
    source = f"{PROBLEM.source}\n\nlargest([], 1)\n"
    assert touches_other_lines(PROBLEM, source, edit) is touches


def test_broken_text_does_not_parse() -> None:
    """Every kind of syntax error counts."""
    assert parses("x = 1")
    assert not any(parses(text) for text in ("x =", "\0", "(" * 10_000))


def test_edit_that_does_not_parse_is_told_from_a_refusal() -> None:
    """Actions refuse such edits, but the report counts them in case one does not."""

    def do(name: str, task: ActionTask) -> ActionResult:
        return ActionResult(edit=Edit(7, 8, ("def largest(",)), task=task)

    report = actions.run(do, "tiny", ["write"], [PROBLEM], "all", ignored)
    scores = report.to_json()["actions"]["write"]
    assert (scores["parse"]["rate"], scores["wrong"], scores["refused"]) == (0.0, {"does-not-parse": 1}, {})


def test_report_counts_what_came_of_each_action() -> None:
    """It has rates with intervals, the reasons for refusals, and a few lines for a terminal."""
    right = fenced(DECLARED + SOLUTION)
    report = run(conversation(right, right, fenced('"""None."""'))[0], "write", "fix", "document")
    said: dict[str, Any] = json.loads(json.dumps(report.to_json(rows=True)))
    assert (said["suite"], said["selection"], said["model"]) == ("actions", "first 1 of 2", "tiny")
    assert list(said["actions"]) == ["write", "fix", "document"]
    write, document = said["actions"]["write"], said["actions"]["document"]
    assert write["passed"] == {"count": 1, "rate": 1.0, "interval95": write["passed"]["interval95"]}
    assert write["passed"]["interval95"][0] < 0.3
    assert (write["edits"], write["touch_other_lines"], write["refused"], write["wrong"]) == (1, 0, {}, {})
    assert (document["edits"], document["asked_twice"], document["refused"]) == (0, 1, {"parameter": 1})
    assert [row["task"] for row in said["rows"]] == ["HumanEval/908"] * 3
    text = report.to_text()
    assert "write     100.0% (1 of 1;" in text
    assert "not right: 1 parameter" in text


def test_what_was_measured_is_not_measured_again(tmp_path: Path) -> None:
    """Results are kept for each model; a file with other content is an error."""
    file = tmp_path / "rows.jsonl"
    talk, model = conversation(fenced(DECLARED + SOLUTION))
    first = run(talk, "write", resume=file)
    again = run(talk, "write", "simplify", resume=file)
    assert again.rows[0] == first.rows[0]
    assert sum("not written yet" in asked for asked in model.asked) == 1
    assert len(file.read_text().splitlines()) == 2
    other = file.read_text().replace('"tiny"', '"other"')
    file.write_text(other)
    assert len(run(talk, "write", resume=file).rows) == 1
    assert len(file.read_text().splitlines()) == 3
    for broken in ("{", "[]", '{"model": 1}'):
        file.write_text(f"{broken}\n")
        with pytest.raises(EvalError, match="is not a file of this suite's results"):
            run(talk, "write", resume=file)


def test_actions_to_measure_are_named() -> None:
    """Without names, all actions are measured."""
    assert actions.names(None) == tuple(TRIALS)
    assert actions.names("write, fix") == ("write", "fix")
    with pytest.raises(UsageError, match="the action 'explain' cannot be measured: choose from fix, write"):
        actions.names("write,explain")


@pytest.mark.parametrize(
    "arguments", [["actions", "--only", "explain"], ["humaneval-single", "--only", "fix"], ["repo", "--resume", "x"]]
)
def test_wrong_usage_is_told_before_anything_is_loaded(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong are an action that cannot be measured, and an option of another suite."""
    assert main(["eval", *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1
