"""Makes mutants: copies of Python code with one bug each.

The text changes in one place, so layout and comments stay as they are. The changes are the traditional operators of
mutation testing (surveyed by Jia and Harman, 2011): comparisons, arithmetic, constants off by one, logic, and another
variable.
"""

from __future__ import annotations

import ast
import random
from dataclasses import dataclass
from itertools import chain, zip_longest

_OPERATORS = {
    "comparison": {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "in": "not in", "not in": "in"},
    "arithmetic": {"+": "-", "-": "+", "*": "+", "/": "*", "//": "/", "%": "//", "**": "*"},
    "assignment": {"+=": "-=", "-=": "+=", "*=": "+=", "//=": "/=", "/=": "*=", "%=": "//="},
    "logic": {"and": "or", "or": "and"},
}


@dataclass(frozen=True)
class Mutant:
    """Code with one bug."""

    source: str
    line: int
    """The line of the bug, counted from 0."""
    change: str
    """The change in words, such as "'<' became '<='"."""


@dataclass(frozen=True)
class _Change:
    start: int
    """Offset in bytes."""
    end: int
    """Offset in bytes."""
    text: str
    """The new text."""


def mutants(source: str, first_line: int, seed: str) -> list[Mutant]:
    """Return all mutants that change a line from ``first_line`` on, counted from 0.

    ``seed`` determines their order. In that order, the kinds of changes take turns.

    Raises:
        SyntaxError: ``source`` is not valid Python.
    """
    data = source.encode()
    changes = _Changes(data)
    changes.visit(ast.parse(source))
    kinds: dict[str, dict[_Change, None]] = {}
    for kind, change in changes.found:
        if data.count(b"\n", 0, change.start) >= first_line:
            kinds.setdefault(kind, {})[change] = None
    rng = random.Random(seed)  # noqa: S311 (not used for security)
    groups = [rng.sample(list(found), len(found)) for _, found in sorted(kinds.items())]
    rng.shuffle(groups)
    in_turns = chain.from_iterable(zip_longest(*groups))
    return [_mutant(data, change) for change in in_turns if change]


def _mutant(data: bytes, change: _Change) -> Mutant:
    old = data[change.start : change.end].decode()
    source = (data[: change.start] + change.text.encode() + data[change.end :]).decode()
    return Mutant(source, data.count(b"\n", 0, change.start), f"'{old}' became '{change.text}'")


class _Changes(ast.NodeVisitor):
    """Finds all possible changes in the bodies of functions, with their kinds."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._starts = [0]
        for line in data.split(b"\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._names: frozenset[str] = frozenset()
        """The variables of the visited function."""
        self.found: list[tuple[str, _Change]] = []
        """Kinds and changes."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        outer, self._names = self._names, self._names | _variables(node)
        for statement in node.body:
            self.visit(statement)
        self._names = outer

    def visit_Compare(self, node: ast.Compare) -> None:
        if len(node.comparators) == 1:
            self._operator("comparison", node.left, node.comparators[0])
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        self._operator("arithmetic", node.left, node.right)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._operator("assignment", node.target, node.value)
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self._operator("logic", node.values[0], node.values[1])
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not):
            self.found.append(("logic", _Change(self._start(node), self._start(node.operand), "")))
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool):
            self._replace("logic", node, str(not node.value))
        elif isinstance(node.value, int):
            self._replace("off by one", node, str(node.value + 1))
            self._replace("off by one", node, str(node.value - 1))

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load) and node.id in self._names:
            for other in sorted(self._names - {node.id}):
                self._replace("another variable", node, other)

    def _replace(self, kind: str, node: ast.expr, text: str) -> None:
        self.found.append((kind, _Change(self._start(node), self._end(node), text)))

    def _operator(self, kind: str, before: ast.expr, after: ast.expr) -> None:
        start = self._end(before)
        between = self._data[start : self._start(after)].decode()
        old = between.strip("() \t\n\\")
        if new := _OPERATORS[kind].get(old):
            start += between.index(old)
            self.found.append((kind, _Change(start, start + len(old), new)))

    def _start(self, node: ast.expr) -> int:
        return self._starts[node.lineno - 1] + node.col_offset

    def _end(self, node: ast.expr) -> int:
        return self._starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)


def _variables(function: ast.FunctionDef) -> set[str]:
    arguments = {argument.arg for argument in function.args.args}
    return arguments | {
        node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
