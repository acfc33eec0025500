"""What actions are asked to do with HumanEval's functions, and what of their answers is right.

Each is asked as `midfill do` asks, on a file that holds one problem; the answer's edit is applied and judged by running
it. What a test says of a mistake is what pytest says of HumanEval's own.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from midfill.actions import Task
from midfill.actions.checked_edit import Edit
from midfill.actions.selection import Selection
from midfill.code.languages import language_of
from midfill.code.normalize import code_tokens
from midfill.evals.humaneval import problems
from midfill.evals.mutants import Mutant, mutants
from midfill.evals.sandbox import RunResult, run_python
from midfill.evals.sandboxed_pytest import run_pytest

_SECONDS = 10.0
_MEGABYTES = 512
_MAX_MUTANTS = 30
"""Tried of each function."""
_LANGUAGE = language_of("x.py")


@dataclass(frozen=True)
class Judgement:
    """What came of an edit: a code, "" when it is right, and what there is to say of it."""

    reason: str = ""
    detail: str = ""


@dataclass(frozen=True)
class HumanEvalFunction:
    """One function of HumanEval, in a file of its own."""

    name: str
    prompt: str
    """Imports, helpers, and the declaration with its documentation."""
    solution: str
    """The body."""
    test: str
    entry: str
    """The function's name."""

    @property
    def stem(self) -> str:
        """The file's name without its suffix."""
        return self.name.lower().replace("/", "_")

    @property
    def source(self) -> str:
        """The right program."""
        return self.prompt + self.solution

    @property
    def tests(self) -> str:
        """HumanEval's tests, as a file for pytest."""
        called = f"def test_{self.entry}():\n    check({self.entry})"
        return f"from {self.stem} import *\n\n\n{self.test.strip()}\n\n\n{called}\n"

    @property
    def undocumented(self) -> str:
        """The right program without the docstring of the function."""
        body = function(self.source, self.entry).body
        docstring = body[0]
        lines = self.source.split("\n")
        if isinstance(docstring, ast.Expr) and isinstance(docstring.value, ast.Constant):
            del lines[docstring.lineno - 1 : docstring.end_lineno]
        return "\n".join(lines)

    @cached_property
    def mutant(self) -> tuple[Mutant, str] | None:
        """A mistake that the tests find without running into the time limit, and pytest's report of it."""
        first_line = self.prompt.count("\n")
        for mutant in mutants(self.source, first_line, self.name)[:_MAX_MUTANTS]:
            outcome = self.run_tests(mutant.source, self.tests)
            if not outcome.passed and "test_" in outcome.reason:
                return mutant, outcome.reason
        return None

    def check(self, source: str) -> RunResult:
        """Run HumanEval's tests on a program."""
        program = f"{source}\n{self.test}\ncheck({self.entry})\n"
        return run_python(program, seconds=_SECONDS, megabytes=_MEGABYTES)

    def run_tests(self, source: str, tests: str) -> RunResult:
        """Run tests for pytest on a program."""
        files = {f"{self.stem}.py": source, f"test_{self.stem}.py": tests}
        return run_pytest(files, f"test_{self.stem}.py", seconds=_SECONDS, megabytes=_MEGABYTES)

    def task(self, source: str, folder: Path, message: str = "") -> Task:
        """Ask with the cursor on the function's declaration, in a file of ``folder``."""
        line = function(source, self.entry).lineno - 1
        selection = Selection(source, _LANGUAGE, line, line + 1, str(folder / f"{self.stem}.py"))
        return Task(selection, message)


@dataclass(frozen=True)
class Trial:
    """How one action is tried."""

    make: Callable[[HumanEvalFunction, Path], Task | None]
    """None where there is nothing to try."""
    judge: Callable[[HumanEvalFunction, str, str], Judgement]
    """Takes the file, and the text of the file that was edited."""


def all_functions() -> list[HumanEvalFunction]:
    """Return the problems in their order.

    Raises:
        EvalError: The package is not installed.
    """
    return [
        HumanEvalFunction(p["task_id"], p["prompt"], p["canonical_solution"], p["test"], p["entry_point"])
        for p in problems()
    ]


def function(source: str, name: str) -> ast.FunctionDef:
    """Return the last function of a name.

    Raises:
        SyntaxError: ``source`` is no Python.
        LookupError: there is none.
    """
    found = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == name]
    if not found:
        raise LookupError(name)
    return found[-1]


def parses(source: str) -> bool:
    """Say whether Python takes it."""
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def touches_other_lines(problem: HumanEvalFunction, source: str, edit: Edit) -> bool:
    """Say whether an edit changes more than the function: lines before or after it, or another file but its tests."""
    if edit.path:
        return Path(edit.path).name != f"test_{problem.stem}.py"
    asked = function(source, problem.entry)
    lines, edited = source.split("\n"), edit.apply(source).split("\n")
    above, below = lines[: asked.lineno - 1], lines[asked.end_lineno :]
    return edited[: len(above)] != above or (bool(below) and edited[-len(below) :] != below)


def _fix(problem: HumanEvalFunction, folder: Path) -> Task | None:
    found = problem.mutant
    return problem.task(found[0].source, folder, found[1]) if found else None


def _write(problem: HumanEvalFunction, folder: Path) -> Task:
    return problem.task(problem.prompt, folder)


def _document(problem: HumanEvalFunction, folder: Path) -> Task:
    return problem.task(problem.undocumented, folder)


def _tests(problem: HumanEvalFunction, folder: Path) -> Task | None:
    return problem.task(problem.source, folder) if problem.mutant else None


def _simplify(problem: HumanEvalFunction, folder: Path) -> Task:
    return problem.task(problem.source, folder)


def _passes(problem: HumanEvalFunction, _: str, edited: str) -> Judgement:
    outcome = problem.check(edited)
    return Judgement() if outcome.passed else Judgement("tests-fail", outcome.reason)


def _is_documented(problem: HumanEvalFunction, source: str, edited: str) -> Judgement:
    if _without_docstrings(source) != _without_docstrings(edited):
        return Judgement("code-changed")
    asked = function(edited, problem.entry)
    docstring = ast.get_docstring(asked)
    if not docstring:
        return Judgement("no-docstring")
    missing = [a.arg for a in asked.args.args if not re.search(rf"\b{a.arg}\b", docstring)]
    return Judgement("parameter-unnamed", ", ".join(missing)) if missing else Judgement()


def _tells_right_from_wrong(problem: HumanEvalFunction, source: str, edited: str) -> Judgement:
    right = problem.run_tests(source, edited)
    if not right.passed:
        return Judgement("wrong-test", right.reason)
    mutant, _ = problem.mutant or (None, "")
    survives = mutant is not None and problem.run_tests(mutant.source, edited).passed
    return Judgement("mutant-survives", mutant.change) if survives and mutant else Judgement()


def _is_simpler(problem: HumanEvalFunction, source: str, edited: str) -> Judgement:
    before, after = (len(code_tokens(text, _LANGUAGE)) for text in (source, edited))
    if after > before:
        return Judgement("longer", f"{after} tokens of code instead of {before}")
    return _passes(problem, source, edited)


def _without_docstrings(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)


TRIALS: Mapping[str, Trial] = {
    "fix": Trial(_fix, _passes),
    "write": Trial(_write, _passes),
    "document": Trial(_document, _is_documented),
    "tests": Trial(_tests, _tells_right_from_wrong),
    "simplify": Trial(_simplify, _is_simpler),
}
"""By the action's name."""
