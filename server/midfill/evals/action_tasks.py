"""The tasks of the suite ``actions``: what each action gets to do with a function of HumanEval, and when it is right.

An action runs as in `midfill do`, on a file with one function. Its edit is applied, and the result is judged by running
it. The action ``fix`` gets the report of pytest for HumanEval's own tests.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from midfill.actions import ActionTask
from midfill.actions.checked_edit import Edit
from midfill.actions.selection import Selection
from midfill.code.languages import language_of
from midfill.code.normalize import code_tokens
from midfill.evals.humaneval import problems
from midfill.running.mutants import Mutant, mutants
from midfill.running.sandbox import RunResult, run_python
from midfill.running.sandboxed_pytest import run_pytest

_SECONDS = 10.0
_MEGABYTES = 512
_MAX_MUTANTS = 30
"""Maximum number of mutants of a function that are tried until the tests find one."""
_LANGUAGE = language_of("x.py")


@dataclass(frozen=True)
class Judgement:
    """Whether an edit is right."""

    reason: str = ""
    """A code that says why the edit is wrong; "" if it is right."""
    detail: str = ""
    """More about the reason, such as an error message."""


@dataclass(frozen=True)
class HumanEvalFunction:
    """One problem of HumanEval: a function in a file of its own."""

    name: str
    """HumanEval's task id, such as "HumanEval/0"."""
    prompt: str
    """Imports, helper functions, and the function's declaration with its docstring."""
    solution: str
    """The function's body."""
    test: str
    """HumanEval's tests: a function ``check`` that takes the function."""
    entry: str
    """The function's name."""

    @property
    def stem(self) -> str:
        """The file's name without its suffix."""
        return self.name.lower().replace("/", "_")

    @property
    def source(self) -> str:
        """The correct program."""
        return self.prompt + self.solution

    @property
    def tests(self) -> str:
        """HumanEval's tests, as a file for pytest."""
        test_function = f"def test_{self.entry}():\n    check({self.entry})"
        return f"from {self.stem} import *\n\n\n{self.test.strip()}\n\n\n{test_function}\n"

    @property
    def undocumented(self) -> str:
        """The correct program without the function's docstring."""
        body = function(self.source, self.entry).body
        docstring = body[0]
        lines = self.source.split("\n")
        if isinstance(docstring, ast.Expr) and isinstance(docstring.value, ast.Constant):
            del lines[docstring.lineno - 1 : docstring.end_lineno]
        return "\n".join(lines)

    @cached_property
    def mutant(self) -> tuple[Mutant, str] | None:
        """A mutant that fails the tests within the time limit, and pytest's report; None if there is no such mutant."""
        first_line = self.prompt.count("\n")
        for mutant in mutants(self.source, first_line, self.name)[:_MAX_MUTANTS]:
            result = self.run_tests(mutant.source, self.tests)
            if not result.passed and "test_" in result.reason:
                return mutant, result.reason
        return None

    def check(self, source: str) -> RunResult:
        """Run HumanEval's tests on a program."""
        program = f"{source}\n{self.test}\ncheck({self.entry})\n"
        return run_python(program, seconds=_SECONDS, megabytes=_MEGABYTES)

    def run_tests(self, source: str, tests: str) -> RunResult:
        """Run a file of pytest's tests on a program."""
        files = {f"{self.stem}.py": source, f"test_{self.stem}.py": tests}
        return run_pytest(files, f"test_{self.stem}.py", seconds=_SECONDS, megabytes=_MEGABYTES)

    def task(self, source: str, folder: Path, message: str = "") -> ActionTask:
        """Return an action's task: the cursor is on the function's declaration, in a file in ``folder``."""
        line = function(source, self.entry).lineno - 1
        selection = Selection(source, _LANGUAGE, line, line + 1, str(folder / f"{self.stem}.py"))
        return ActionTask(selection, message)


@dataclass(frozen=True)
class Trial:
    """How one action is measured on a function."""

    make: Callable[[HumanEvalFunction, Path], ActionTask | None]
    """Makes the action's task in a folder; returns None if the action cannot be measured on this function."""
    judge: Callable[[HumanEvalFunction, str, str], Judgement]
    """Judges an edit. Takes the text before it, and the text after it of the file that it changed."""


def all_functions() -> list[HumanEvalFunction]:
    """Return all functions of HumanEval, in its order.

    Raises:
        EvalError: the package is not installed.
    """
    return [
        HumanEvalFunction(p["task_id"], p["prompt"], p["canonical_solution"], p["test"], p["entry_point"])
        for p in problems()
    ]


def function(source: str, name: str) -> ast.FunctionDef:
    """Return the last top-level function with this name.

    Raises:
        SyntaxError: ``source`` is not valid Python.
        LookupError: there is no such function.
    """
    found = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == name]
    if not found:
        raise LookupError(name)
    return found[-1]


def parses(source: str) -> bool:
    """Return whether ``source`` is valid Python."""
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def touches_other_lines(problem: HumanEvalFunction, source: str, edit: Edit) -> bool:
    """Return whether an edit changes lines outside the function, or a file that is not the function's test file."""
    if edit.path:
        return Path(edit.path).name != f"test_{problem.stem}.py"
    node = function(source, problem.entry)
    lines, edited = source.split("\n"), edit.apply(source).split("\n")
    above, below = lines[: node.lineno - 1], lines[node.end_lineno :]
    return edited[: len(above)] != above or (bool(below) and edited[-len(below) :] != below)


def _fix(problem: HumanEvalFunction, folder: Path) -> ActionTask | None:
    found = problem.mutant
    return problem.task(found[0].source, folder, found[1]) if found else None


def _write(problem: HumanEvalFunction, folder: Path) -> ActionTask:
    return problem.task(problem.prompt, folder)


def _document(problem: HumanEvalFunction, folder: Path) -> ActionTask:
    return problem.task(problem.undocumented, folder)


def _tests(problem: HumanEvalFunction, folder: Path) -> ActionTask | None:
    return problem.task(problem.source, folder) if problem.mutant else None


def _simplify(problem: HumanEvalFunction, folder: Path) -> ActionTask:
    return problem.task(problem.source, folder)


def _passes(problem: HumanEvalFunction, _: str, edited: str) -> Judgement:
    result = problem.check(edited)
    return Judgement() if result.passed else Judgement("tests-fail", result.reason)


def _is_documented(problem: HumanEvalFunction, source: str, edited: str) -> Judgement:
    if _without_docstrings(source) != _without_docstrings(edited):
        return Judgement("code-changed")
    node = function(edited, problem.entry)
    docstring = ast.get_docstring(node)
    if not docstring:
        return Judgement("no-docstring")
    missing = [a.arg for a in node.args.args if not re.search(rf"\b{a.arg}\b", docstring)]
    return Judgement("parameter-unnamed", ", ".join(missing)) if missing else Judgement()


def _finds_the_mutant(problem: HumanEvalFunction, source: str, edited: str) -> Judgement:
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
    "tests": Trial(_tests, _finds_the_mutant),
    "simplify": Trial(_simplify, _is_simpler),
}
"""The trials by the action's name."""
