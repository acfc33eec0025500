"""Tests whose expected values come from running the function, and that fail when the function is changed.

The model chooses the inputs. A wrong function gets tests that say what it does now; so people are told where the values
come from.
"""

from __future__ import annotations

import ast
import builtins
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from midfill.actions.action import ActionTask
from midfill.actions.checked_edit import Edit
from midfill.actions.proof import Verdict
from midfill.code.python_ast import parse
from midfill.code.source_files import read_text
from midfill.common.cancel import CancelFlag
from midfill.running import probe
from midfill.running.jail import Jail
from midfill.running.mutants import mutants

_MAX_MUTANTS = 12
_SECONDS, _MEGABYTES = 90, 4_096
_LOOSE = (ast.Compare, ast.BoolOp, ast.UnaryOp, ast.IfExp, ast.Lambda, ast.NamedExpr)
"""Expressions that need brackets before a comparison."""
_MAX_VALUE_CHARACTERS = 200
"""A longer value is no expected value that somebody would read."""


@dataclass(frozen=True)
class TestedValues:
    """Judges tests of one Python function by running it."""

    task: ActionTask
    jail: Jail
    python: str
    module: str
    """The name by which Python imports the document."""
    root: Path
    """The folder that it is imported from."""
    cancel: CancelFlag

    def judge(self, edit: Edit) -> Verdict:
        """Run what the tests compare, on the function and on mutants of it; return the tests with these values.

        Raises:
            Cancelled: the action was cancelled.
        """
        tests = "\n".join(edit.lines)
        tree, definition = parse(tests), self.task.selection.definition
        if tree is None or definition is None:
            return Verdict(None, "the tests cannot be read")
        source = self.task.selection.document
        lines = range(definition.first_line, definition.last_line + 1)
        changed = [mutant.source for mutant in mutants(source, lines.start, definition.name) if mutant.line in lines]
        results = self._observed(tests, [source, source, *changed[:_MAX_MUTANTS]])
        if not results or any("?" in found[:1] for found in results[0][-1:] if len(found) > 1):
            return Verdict(None, "the module cannot be imported here")
        now, again, *others = results
        stable = [value if value == other else "?" for value, other in zip(now, again, strict=False)]
        telling = [any(_at(other, number) != value for other in others) for number, value in enumerate(stable)]
        kept = [value if tells or not others else "?" for value, tells in zip(stable, telling, strict=True)]
        if not any(value != "?" for value in kept):
            return Verdict(False, "no assertion fails when the function is changed: choose inputs that tell more")
        written = _rewritten(tests, tree, kept)
        found = sum(any(_at(other, n) != value for n, value in enumerate(kept) if value != "?") for other in others)
        said = (
            f"the expected values are what `{definition.name}` gives now, right or wrong;"
            f" {found} of {len(others)} changed versions of it fail"
        )
        return Verdict(True, said, replace(edit, lines=tuple(written.split("\n"))))

    def _observed(self, tests: str, variants: Sequence[str]) -> list[list[str]]:
        """Return what the assertions compare, for each variant; [] if nothing could be run."""
        plan = {
            "paths": [str(self.root), str(self.jail.project)],
            "module": self.module,
            "file": self.task.selection.path,
            "variants": list(variants),
            "tests": tests,
        }
        program, given, results = (self.jail.work / "home" / name for name in ("probe.py", "plan.json", "results.json"))
        program.write_text(Path(probe.__file__).read_text(encoding="utf-8"), encoding="utf-8")
        given.write_text(json.dumps(plan), encoding="utf-8")
        results.unlink(missing_ok=True)
        command = [self.python, str(program), str(given), str(results)]
        self.jail.run(command, seconds=_SECONDS, megabytes=_MEGABYTES, cancel=self.cancel)
        try:
            found = json.loads(read_text(results) or "[]")
        except ValueError:
            return []
        return found if _is_lists_of_texts(found) and len(found) == len(variants) else []


def _is_lists_of_texts(found: object) -> bool:
    lists = isinstance(found, list) and all(isinstance(inner, list) for inner in found)
    return lists and all(isinstance(text, str) for inner in found for text in inner)  # type: ignore[attr-defined]


def _at(values: Sequence[str], number: int) -> str:
    return values[number] if number < len(values) else "?"


def _rewritten(tests: str, tree: ast.Module, values: Sequence[str]) -> str:
    """Return the tests with these values in their assertions. An assertion without a value is left out."""
    lines: list[str | None] = list(tests.split("\n"))
    assertions = [
        statement
        for function in tree.body
        if isinstance(function, ast.FunctionDef)
        for statement in function.body
        if isinstance(statement, ast.Assert | ast.With)
    ]
    raises = False
    for number, statement in enumerate(assertions):
        text = _assertion(tests, statement, _at(values, number))
        raises = raises or "pytest.raises" in (text or "")
        first, last = statement.lineno - 1, statement.end_lineno or statement.lineno
        lines[first:last] = [text, *[None] * (last - first - 1)]
    written = "\n".join(line for line in lines if line is not None)
    return f"import pytest\n\n{written.lstrip()}" if raises and "import pytest" not in written else written


def _assertion(tests: str, statement: ast.Assert | ast.With, value: str) -> str | None:
    """Return an assertion with a value, with its indentation; None for none."""
    kind, _, shown = value.partition(" ")
    margin = " " * statement.col_offset
    if kind == "!" and isinstance(getattr(builtins, shown, None), type):
        body = statement.body if isinstance(statement, ast.With) else [probe.left_of(statement)]
        code = "\n".join(f"{margin}    {ast.get_source_segment(tests, part)}" for part in body)
        return f"{margin}with pytest.raises({shown}):\n{code}"
    if kind != "=" or isinstance(statement, ast.With) or len(shown) > _MAX_VALUE_CHARACTERS:
        return None
    node = probe.left_of(statement)
    left = ast.get_source_segment(tests, node) or ""
    if isinstance(node, _LOOSE):
        left = f"({left})"
    if shown in ("True", "False") and isinstance(node, ast.Compare | ast.BoolOp | ast.UnaryOp):
        return f"{margin}assert {'' if shown == 'True' else 'not '}{left}"
    return f"{margin}assert {left} {'is' if shown in ('True', 'False', 'None') else '=='} {shown}"
