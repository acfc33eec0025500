"""Moving Python statements into a new function: its parameters, its results, and where the function and its call go.

All of this follows from Python's own parser, so that the code does the same as before; only the function's name is
missing. Statements that would do something else in a function of their own are refused.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from midfill.actions.checked_edit import Edit
from midfill.actions.reasons import ActionReason, Faulty
from midfill.actions.selection import margin_of
from midfill.code.python_ast import SCOPES, own_nodes, parse

_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True)
class Extraction:
    """Statements that can move from one function into a new one."""

    statements: tuple[ast.stmt, ...]
    function: _Function
    """The innermost function that they are in."""
    outermost: ast.stmt
    """The module's own statement that they are in."""
    parameters: tuple[str, ...]
    results: tuple[str, ...]
    receiver: str
    """The first parameter of their method, such as ``self``; "" if they do not use it and become a plain function."""
    is_class_method: bool
    is_async: bool
    names: frozenset[str]
    """All names of the module. The new function must have another name."""

    def edit(self, name: str, document: str) -> Edit:
        """Return the edit that moves the statements into a function ``name``, and puts a call in their place."""
        lines = document.split("\n")
        first, end = self.statements[0].lineno - 1, _end(self.statements[-1])
        there = margin_of([lines[first]])
        awaited = "await " if self.is_async else ""
        called = f"{self.receiver}.{name}" if self.receiver else name
        call = f"{awaited}{called}({', '.join(self.parameters)})"
        call = f"{there}{', '.join(self.results)} = {call}" if self.results else f"{there}{call}"
        if self.receiver:
            last = _end(self.function)
            margin = margin_of([lines[_start(self.function)]])
            made = self._function(name, lines[first:end], first, there, margin)
            return Edit(first, last, (call, *lines[end:last], "", *made))
        start = _start(self.outermost)
        while start and lines[start - 1].startswith("#"):  # a comment that belongs to the statement below
            start -= 1
        made = self._function(name, lines[first:end], first, there, "")
        return Edit(start, end, (*made, "", "", *lines[start:first], call))

    def _function(self, name: str, body: Sequence[str], first: int, there: str, margin: str) -> list[str]:
        own = margin_of([line for line in body if line.strip()][:1])
        step = there[len(margin) :] if there.startswith(margin) and len(there) > len(margin) else "    "
        step = "\t" if step.startswith("\t") else step[:4]
        within = {
            line
            for statement in self.statements
            for node in ast.walk(statement)
            if isinstance(node, (ast.Constant, ast.JoinedStr))
            for line in range(node.lineno, node.end_lineno or node.lineno)
        }
        moved = [
            line if number in within or not line.strip() else margin + step + line.removeprefix(own)
            for number, line in enumerate(body, first)
        ]
        parameters = [self.receiver, *self.parameters] if self.receiver else list(self.parameters)
        annotated = {argument.arg: argument for argument in _named_arguments(self.function)}
        shown = [_shown(annotated[p]) if p in annotated and p != self.receiver else p for p in parameters]
        nothing = " -> None" if self.function.returns is not None and not self.results else ""
        declared = f"{margin}{'async ' if self.is_async else ''}def {name}({', '.join(shown)}){nothing}:"
        returned = [f"{margin}{step}return {', '.join(self.results)}"] if self.results else []
        return [*([f"{margin}@classmethod"] if self.is_class_method else []), declared, *moved, *returned]


def extraction(document: str, first_line: int, end_line: int) -> Extraction:
    """Return how the statements in these lines of a module become a function.

    Raises:
        Faulty: they cannot become one.
    """
    try:
        return _extraction(document, first_line, end_line)
    except RecursionError as error:
        raise Faulty(ActionReason.TOO_LONG, "the code is nested too deeply") from error


def _extraction(document: str, first_line: int, end_line: int) -> Extraction:
    module = parse(document)
    if module is None:
        raise Faulty(ActionReason.SYNTAX, "the file is not valid Python")
    path, statements = _find(module, first_line + 1, end_line)
    functions = [node for node in path if isinstance(node, _FUNCTIONS)]
    if not functions:
        raise Faulty(ActionReason.NO_FUNCTION)
    function = functions[-1]
    inner = path[path.index(function) :]
    loop = next((node for node in inner if isinstance(node, _LOOPS)), None)
    _check_flow(statements, function)

    names = _Names(functions, statements, loop)
    class_ = path[path.index(function) - 1]
    receiver = _receiver(function, class_) if isinstance(class_, ast.ClassDef) else ""
    receiver = receiver if receiver in names.inputs else ""
    if not receiver and any(_is_bound_to_class(node) for statement in statements for node in ast.walk(statement)):
        raise Faulty(ActionReason.CLASS)
    return Extraction(
        statements=tuple(statements),
        function=function,
        outermost=next(node for node in path[1:] if isinstance(node, ast.stmt)),
        parameters=tuple(name for name in names.inputs if name != receiver),
        results=names.results,
        receiver=receiver,
        is_class_method=bool(receiver) and "classmethod" in _decorators(function),
        is_async=any(isinstance(n, (ast.Await, ast.AsyncFor, ast.AsyncWith)) for n in own_nodes(statements)),
        names=frozenset(_all_names(module)),
    )


class _Names:
    """The variables that statements use from the functions around them, and those that they set for later use."""

    def __init__(self, functions: Sequence[_Function], statements: Sequence[ast.stmt], loop: ast.stmt | None) -> None:
        function = functions[-1]
        first, last = statements[0].lineno, _end(statements[-1])
        inside = {id(node) for statement in statements for node in ast.walk(statement)}
        stored = list(dict.fromkeys(name for name, _ in _bound(statements)))
        if set(stored) & _declared_elsewhere(function):
            raise Faulty(ActionReason.GLOBAL)
        before = {argument.arg: 0 for f in functions for argument in _arguments(f)}
        before |= {name: 0 for f in functions[:-1] for name, _ in _bound(f.body)}
        before |= {name: line for name, line in _bound(function.body) if line < first}

        needed: dict[str, None] = {}
        certain: set[str] = set()
        for statement in statements:
            needed |= dict.fromkeys(name for name in _read([statement]) if name not in certain)
            certain |= _certainly_set([statement])
        later = {
            node.id
            for node in ast.walk(function)
            if isinstance(node, ast.Name)
            and id(node) not in inside
            and isinstance(node.ctx, ast.Load)
            and (node.lineno > last or (loop is not None and loop.lineno <= node.lineno))
        }
        later |= {name for nested in _nested(function.body) if id(nested) not in inside for name in _read([nested])}
        later |= {
            node.target.id
            for node in ast.walk(function)
            if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)
            if id(node) not in inside and (node.lineno > last or loop is not None)
        }
        if loop is not None:  # the next round of the loop uses what this one sets
            later |= set(needed)
        results = [name for name in stored if name in later]
        for name in results:
            if name not in certain:
                if name not in before:
                    raise Faulty(ActionReason.MAYBE_UNSET, f"'{name}' is used below, and may not be set by these lines")
                needed[name] = None
        self.results = tuple(results)
        self.inputs = tuple(name for name in before if name in needed)


def _find(module: ast.Module, first: int, last: int) -> tuple[list[ast.AST], list[ast.stmt]]:
    """Return the nodes around the statements in these lines, the outermost first, and the statements."""
    path: list[ast.AST] = [module]
    while True:
        around = None
        for block in _blocks(path[-1]):
            touched = [s for s in block if _start(s) + 1 <= last and _end(s) >= first]
            if touched and all(first <= _start(s) + 1 and _end(s) <= last for s in touched):
                if _shares_lines(block, touched):
                    raise Faulty(ActionReason.NOT_STATEMENTS, "select whole lines of statements")
                return path, touched
            if len(touched) == 1:
                around = touched[0] if around is None else None
        if around is None:
            raise Faulty(ActionReason.NOT_STATEMENTS)
        path.append(around)


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list) and block:
            yield block
    for inner in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield inner.body


def _shares_lines(block: Sequence[ast.stmt], chosen: Sequence[ast.stmt]) -> bool:
    inside = {id(s) for s in chosen}
    others = [s for s in block if id(s) not in inside]
    return any(_start(s) < _end(chosen[-1]) and _end(s) > _start(chosen[0]) for s in others)


def _check_flow(statements: Sequence[ast.stmt], function: _Function) -> None:
    """Refuse statements that leave the function or a loop, and the function's docstring."""
    first = function.body[0]
    if statements[0] is first and isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        raise Faulty(ActionReason.DOCUMENTATION)
    for node in own_nodes(statements):
        if isinstance(node, (ast.Return, ast.Yield, ast.YieldFrom)):
            raise Faulty(ActionReason.RETURNS)
    stack: list[ast.AST] = list(statements)
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.Break, ast.Continue)):
            raise Faulty(ActionReason.LEAVES_LOOP)
        if isinstance(node, _LOOPS):
            stack.extend(node.orelse)
        elif not isinstance(node, SCOPES):
            stack.extend(ast.iter_child_nodes(node))


def _nested(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    return (node for node in own_nodes(nodes) if isinstance(node, SCOPES))


def _bound(nodes: Iterable[ast.AST]) -> list[tuple[str, int]]:
    """Return the names that are set, each with its line, in the order of the lines."""
    found: list[tuple[str, int]] = []
    stack = list(nodes)
    while stack:
        node = stack.pop()
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            found.append((node.id, line))
        elif isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            found.append((node.name, line))
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found += [(alias.asname or alias.name.partition(".")[0], line) for alias in node.names]
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            found.append((node.name, line))
        elif isinstance(node, ast.MatchMapping) and node.rest:
            found.append((node.rest, line))
        if isinstance(node, _COMPREHENSIONS):  # outside it, only the names that := sets are visible
            stack.extend(inner.target for inner in ast.walk(node) if isinstance(inner, ast.NamedExpr))
        elif not isinstance(node, SCOPES):
            stack.extend(ast.iter_child_nodes(node))
    return sorted(found, key=lambda entry: entry[1])


def _read(nodes: Iterable[ast.AST]) -> list[str]:
    """Return the names that are read, in inner functions too."""
    found: list[str] = []
    for node in (inner for outer in nodes for inner in ast.walk(outer)):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
            found.append(node.id)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            found.append(node.target.id)
    return found


def _certainly_set(statements: Iterable[ast.stmt]) -> set[str]:
    """Return the names that are set on every path through the statements that reaches their end."""
    names: set[str] = set()
    for statement in statements:
        if isinstance(statement, (ast.With, ast.AsyncWith)):
            names |= {name for name, _ in _bound(item for item in statement.items)} | _certainly_set(statement.body)
        elif isinstance(statement, ast.If):
            names |= _certainly_set(statement.body) & _certainly_set(statement.orelse)
        elif isinstance(statement, ast.Delete):
            names -= {name for name, _ in _bound([statement])}
        elif isinstance(statement, ast.AnnAssign) and statement.value is None:
            continue
        elif not isinstance(statement, (*_LOOPS, ast.Try, ast.Match)):
            names |= {name for name, _ in _bound([statement])}
    return names


def _declared_elsewhere(function: _Function) -> set[str]:
    nodes = own_nodes(function.body)
    return {name for node in nodes if isinstance(node, (ast.Global, ast.Nonlocal)) for name in node.names}


def _receiver(function: _Function, class_: ast.ClassDef) -> str:
    arguments = [*function.args.posonlyargs, *function.args.args]
    static = "staticmethod" in _decorators(function) or function not in class_.body
    return arguments[0].arg if arguments and not static else ""


def _decorators(function: _Function) -> set[str]:
    return {decorator.id for decorator in function.decorator_list if isinstance(decorator, ast.Name)}


def _is_bound_to_class(node: ast.AST) -> bool:
    if isinstance(node, ast.Name):
        return node.id in ("super", "__class__")
    return isinstance(node, ast.Attribute) and node.attr.startswith("__") and not node.attr.endswith("__")


def _arguments(function: _Function) -> list[ast.arg]:
    return [*_named_arguments(function), *filter(None, (function.args.vararg, function.args.kwarg))]


def _named_arguments(function: _Function) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def _shown(argument: ast.arg) -> str:
    return f"{argument.arg}: {ast.unparse(argument.annotation)}" if argument.annotation else argument.arg


def _all_names(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        for name in ("id", "name", "attr", "arg", "asname"):
            if isinstance(value := getattr(node, name, None), str):
                yield value


def _start(statement: ast.stmt) -> int:
    """Return the first line of a statement, from 0, with its decorators."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)]) - 1


def _end(statement: ast.stmt) -> int:
    """Return the line after the last one of a statement, from 0."""
    return statement.end_lineno or statement.lineno
