"""Types: annotations where the language has them, and nothing but them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from midfill.actions.action import Action, Task, in_code, with_definition
from midfill.actions.rewriting import rewriting
from midfill.edits import Faulty

_STYLE = {
    "python": ", in the built-in forms such as list[int] and None",
    "typescript": "",
    "tsx": "",
    "php": "",
}
"""What is said of them, by grammar of a language in which they may be left out."""


_BARE = re.compile(r"\w+\(\s*(?:(?:self|cls)\s*,\s*)?(?!self\b|cls\b)[A-Za-z_]\w*(?=\s*[,)=])")
"""A declaration up to its first parameter, if that has no type."""


def _prepare(task: Task) -> Task:
    if task.selection.language.grammar not in _STYLE:
        raise Faulty("no-annotations", f"{task.selection.language.name} has no types that could be added")
    return with_definition(task)


def _values(task: Task) -> Mapping[str, str]:
    return {"style": _STYLE[task.selection.language.grammar]}


def _begin(task: Task) -> str:
    """Begin with the declaration up to where its first type belongs, or all would stay as it is."""
    found, code = task.selection.selected_definition, task.selection.code
    bare = _BARE.match(code, code.index(f"{found.name}(")) if found and f"{found.name}(" in code else None
    return in_code(task) + (f"{code[: bare.end()]}:" if bare else "")


TYPES = Action(
    name="types",
    title="Add types",
    kind="refactor.rewrite",
    prepare=_prepare,
    values=_values,
    begin=_begin,
    read=rewriting("all but types"),
)
