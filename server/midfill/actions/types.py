"""Add types: annotations, where the language has them, and nothing else."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from midfill.actions.action import Action, ActionTask, Proves, in_code, with_definition
from midfill.actions.checked_edit import Edit
from midfill.actions.reasons import ActionReason, Faulty
from midfill.actions.rewriting import rewriting
from midfill.actions.selection import dedented
from midfill.code.python_ast import own_nodes, parse

_STYLE = {
    "python": ", in the built-in forms such as list[int] and None",
    "typescript": "",
    "tsx": "",
    "php": "",
}
"""What the prompt says about types, by grammar. These languages let a programmer leave types out."""
_BARE = re.compile(r"\w+\(\s*(?:(?:self|cls)\s*,\s*)?(?!self\b|cls\b)[A-Za-z_]\w*(?=\s*[,)=])")
"""A declaration up to its first parameter, if this parameter has no type."""


def _prepare(task: ActionTask) -> ActionTask:
    if task.selection.language.grammar not in _STYLE:
        raise Faulty(ActionReason.NO_ANNOTATIONS, f"{task.selection.language.name} has no types that could be added")
    return with_definition(task)


def _values(task: ActionTask) -> Mapping[str, str]:
    return {"style": _STYLE[task.selection.language.grammar]}


def _begin(task: ActionTask) -> str:
    """Begin with the declaration up to its first missing type; otherwise the model repeats the code without types."""
    found, code = task.selection.selected_definition, task.selection.code
    bare = _BARE.match(code, code.index(f"{found.name}(")) if found and f"{found.name}(" in code else None
    return in_code(task) + (f"{code[: bare.end()]}:" if bare else "")


def _read(answer: str, task: ActionTask) -> Edit:
    """Accept annotations only, and no ``-> None`` for a Python function that returns something."""
    edit = rewriting("all but types")(answer, task)
    tree = parse("\n".join(dedented(edit.lines))) if task.selection.language.grammar == "python" else None
    for function in ast.walk(tree) if tree else ():
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and _says_none(function.returns):
            for statement in own_nodes(function.body):
                if isinstance(statement, ast.Return) and statement.value and not _says_none(statement.value):
                    raise Faulty(ActionReason.WRONG_TYPE, f"{function.name} returns something, so '-> None' is wrong")
    return edit


def _says_none(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


TYPES = Action(
    name="types",
    title="Add types",
    kind="refactor.rewrite",
    proves=Proves.KEEPS,
    prepare=_prepare,
    values=_values,
    begin=_begin,
    read=_read,
)
