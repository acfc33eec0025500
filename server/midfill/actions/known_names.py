"""What can be told of Python code without running it: whether its names exist, and its calls fit the declarations."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from midfill.actions.reasons import ActionReason, Faulty
from midfill.code.python_ast import parse

_OF_MODULES = frozenset({"__file__", "__name__", "__doc__", "__package__", "__spec__", "__path__", "__class__"})
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def check_names(before: str, after: str) -> None:
    """Check that changed code uses no name that its file does not define, and calls its functions as declared.

    A name that is defined anywhere in the file counts as known. In a file that uses unknown names already, as one with
    a star import or the cell of a notebook, nothing is checked.

    Raises:
        Faulty: a name is unknown, or a call does not fit.
    """
    old, new = parse(before), parse(after)
    if old is None or new is None or _unknown(old):
        return
    if unknown := _unknown(new):
        raise Faulty(ActionReason.UNKNOWN_NAME, f"'{min(unknown)}' is not defined in this file: do without it")
    known = {ast.dump(call) for call in _calls(old)}
    declared = _declared(new)
    for call in _calls(new):
        if isinstance(call.func, ast.Name) and call.func.id in declared and ast.dump(call) not in known:
            _check_call(call, declared[call.func.id])


def _unknown(tree: ast.Module) -> set[str]:
    """Return the names that a module uses and does not define; with a star import, one that stands for any name."""
    used: set[str] = set()
    bound = {*_OF_MODULES, *dir(builtins)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.Global | ast.Nonlocal):
            bound.update(node.names)
        else:  # an exception, or a part of a pattern
            bound.update(name for field in ("name", "rest") if isinstance(name := getattr(node, field, None), str))
    return {"*"} if "*" in bound else used - bound


def _calls(tree: ast.Module) -> Iterator[ast.Call]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _declared(tree: ast.Module) -> dict[str, ast.arguments]:
    """Return the parameters of the module's own functions whose name means nothing else in the file."""
    functions = [node for node in tree.body if isinstance(node, _FUNCTIONS) and not node.decorator_list]
    stored = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)]
    stored += [node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)]
    names = [node.name for node in ast.walk(tree) if isinstance(node, (*_FUNCTIONS, ast.ClassDef))]
    taken = {*stored, *(name for name in names if names.count(name) > 1)}
    return {node.name: node.args for node in functions if node.name not in taken}


def _check_call(call: ast.Call, declared: ast.arguments) -> None:
    assert isinstance(call.func, ast.Name)  # noqa: S101 -- only such calls are checked
    if any(isinstance(argument, ast.Starred) for argument in call.args) or any(k.arg is None for k in call.keywords):
        return
    name = call.func.id
    positional = [argument.arg for argument in (*declared.posonlyargs, *declared.args)]
    by_name = {*(a.arg for a in (*declared.args, *declared.kwonlyargs))}
    given = {keyword.arg or "" for keyword in call.keywords}
    if len(call.args) > len(positional) and declared.vararg is None:
        raise Faulty(ActionReason.WRONG_CALL, f"'{name}' is given {len(call.args)} values and takes {len(positional)}")
    if (wrong := given - by_name) and declared.kwarg is None:
        raise Faulty(ActionReason.WRONG_CALL, f"'{name}' has no parameter '{min(wrong)}'")
    required = positional[: len(positional) - len(declared.defaults)]
    required += [a.arg for a, default in zip(declared.kwonlyargs, declared.kw_defaults, strict=True) if default is None]
    missing = [parameter for parameter in required if parameter not in {*positional[: len(call.args)], *given}]
    if missing:
        raise Faulty(ActionReason.WRONG_CALL, f"a call of '{name}' lacks '{missing[0]}'")
