"""Finds out what the assertions of some tests compare, for each of several variants of a module.

It runs in the jail, with the project's interpreter, and imports nothing of Midfill. The arguments are two files: the
plan, and the one for the results, both JSON. The plan has ``paths`` (where modules are imported from), ``module`` and
``file`` (the tested module), ``variants`` (its texts) and ``tests`` (the text of the tests). The results are a list for
each variant, with one text for each assertion, in their order: ``= VALUE`` for what the left side of a comparison is,
as Python writes it; ``! NAME`` for the exception that it raises; ``?`` for what cannot be written or was not reached.
"""

from __future__ import annotations

import ast
import json
import signal
import sys
import types
from typing import Any

_SECONDS_OF_A_VARIANT = 3


class _TooSlow(BaseException):
    """The variant takes too long."""


def main() -> None:
    """Read the plan, and write the results."""
    with open(sys.argv[1], encoding="utf-8") as file:
        plan = json.load(file)
    sys.path[:0] = plan["paths"]
    signal.signal(signal.SIGALRM, _stop)
    results = [_observed(plan, variant) for variant in plan["variants"]]
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(results, file)


def _stop(*_: object) -> None:
    raise _TooSlow


def _observed(plan: dict[str, Any], source: str) -> list[str]:
    tests = ast.parse(plan["tests"])
    found: list[str] = []
    signal.alarm(_SECONDS_OF_A_VARIANT)
    try:
        _load(plan["module"], plan["file"], source)
        for function in [node for node in tests.body if isinstance(node, ast.FunctionDef)]:
            names: dict[str, Any] = {"__name__": "tests"}
            start = [node for node in tests.body if not isinstance(node, ast.FunctionDef)]
            _execute(start, names)
            found += _observed_in(function, names)
    except BaseException as error:  # also SystemExit
        return [*found, f"? {type(error).__name__}: {error}"]
    finally:
        signal.alarm(0)
    return found


def _load(name: str, path: str, source: str) -> None:
    """Import a module of which the text is given."""
    parent = name.rpartition(".")[0]
    if parent:
        __import__(parent)
    module = types.ModuleType(name)
    module.__file__, module.__package__ = path, parent
    sys.modules[name] = module
    exec(compile(source, path, "exec"), module.__dict__)  # noqa: S102 (this is its purpose)


def _execute(statements: list[ast.stmt], names: dict[str, Any]) -> None:
    exec(compile(ast.Module(statements, []), "tests", "exec"), names)  # noqa: S102


def _observed_in(function: ast.FunctionDef, names: dict[str, Any]) -> list[str]:
    """Run the statements of a test one by one. Where one fails that is no assertion, the rest tells nothing."""
    found: list[str] = []
    failed = bool(function.args.args)  # a fixture's value is not known
    for statement in function.body:
        is_assertion = isinstance(statement, (ast.Assert, ast.With))
        if failed:
            found += ["?"] * is_assertion
        elif isinstance(statement, ast.Assert):
            found.append(_value(left_of(statement), names))
        elif isinstance(statement, ast.With):
            found.append(_exception(statement.body, names))
        else:
            try:
                _execute([statement], names)
            except Exception:
                failed = True
    return found


def left_of(statement: ast.Assert) -> ast.expr:
    """Return what an assertion is about: the left side of its comparison, or what it says is true or not."""
    test = statement.test
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], (ast.Eq, ast.Is)):
        return test.left
    return test


def _value(expression: ast.expr, names: dict[str, Any]) -> str:
    try:
        value = eval(compile(ast.Expression(expression), "tests", "eval"), names)  # noqa: S307
        written = repr(value)
        same = eval(compile(written, "value", "eval"), names) == value  # noqa: S307
    except SyntaxError:
        return "?"
    except NameError as error:
        return "?" if "written" in locals() else f"! {type(error).__name__}"
    except Exception as error:
        return "?" if "written" in locals() else f"! {type(error).__name__}"
    return f"= {written}" if same is True else "?"


def _exception(statements: list[ast.stmt], names: dict[str, Any]) -> str:
    try:
        _execute(statements, names)
    except Exception as error:
        return f"! {type(error).__name__}"
    return "?"


if __name__ == "__main__":
    main()
