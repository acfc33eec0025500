"""Checks that each test always does the same thing, and proves something.

    python tools/check_tests.py [FOLDER]

A test function, with all that is defined inside it, must not contain a branch, compare the time, or sleep; and it must
contain something that can fail. Standard output has one line for each fault. The exit code is 1 if there is a fault.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

_Function: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef"
_Fault: TypeAlias = "tuple[int, str]"
"""A line's number, and what is wrong there."""

_CLOCKS = {"time.monotonic", "time.perf_counter", "time.time"}
_SLEEPS = {"time.sleep", "asyncio.sleep"}
_CHECKS = ("expect", "assert", "check", "wait")
"""A function whose name contains one of these words checks something, if a test calls it."""


def find_faults(source: str) -> list[_Fault]:
    """Return the faults of a test file, in the order of its lines."""
    return sorted(fault for test in _tests(ast.parse(source)) for fault in _faults(test))


def _tests(tree: ast.Module) -> Iterator[_Function]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node


def _faults(test: _Function) -> Iterator[_Fault]:
    nodes = [node for statement in test.body for node in ast.walk(statement)]
    times = _names_of_times(nodes)
    for node in nodes:
        if isinstance(node, ast.If | ast.Match):
            yield node.lineno, f"{test.name} contains a branch. Write one test for each case, or parametrise it."
        elif isinstance(node, ast.Compare) and _reads_clock(node, times):
            yield node.lineno, f"{test.name} compares the time. Check what happened, not how long it took."
        elif isinstance(node, ast.Call) and _sleeps(node):
            yield node.lineno, f"{test.name} sleeps. Wait for something that happens, or use a manual clock."
    if not any(map(_can_fail, nodes)):
        yield test.lineno, f"{test.name} contains nothing that can fail. Add an assertion."


def _names_of_times(nodes: list[ast.AST]) -> set[str]:
    """Return the variables that a reading of the clock was assigned to."""
    assignments = [node for node in nodes if isinstance(node, ast.Assign) and _reads_clock(node.value, set())]
    names = [name for node in assignments for target in node.targets for name in ast.walk(target)]
    return {name.id for name in names if isinstance(name, ast.Name)}


def _reads_clock(expression: ast.AST, times: set[str]) -> bool:
    nodes = list(ast.walk(expression))
    calls = {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return not (calls.isdisjoint(_CLOCKS) and names.isdisjoint(times))


def _sleeps(call: ast.Call) -> bool:
    """Say whether a call sleeps; `asyncio.sleep(0)` does not, it lets other tasks run."""
    return ast.unparse(call.func) in _SLEEPS and not (
        call.args and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0
    )


def _can_fail(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func)
        name = called.rpartition(".")[2].lower()
        return called in {"pytest.raises", "pytest.fail"} or any(word in name for word in _CHECKS)
    return isinstance(node, ast.Assert)


def main() -> int:
    """Print the faults of all tests in a folder; return the exit code."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "tests"
    found = [
        f"{os.path.relpath(path)}:{line}: {fault}"
        for path in sorted(folder.rglob("*.py"))
        for line, fault in find_faults(path.read_text(encoding="utf-8"))
    ]
    sys.stdout.writelines(f"{line}\n" for line in found)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
