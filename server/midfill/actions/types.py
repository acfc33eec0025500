"""Types: annotations where the language has them, and nothing but them."""

from __future__ import annotations

from collections.abc import Mapping

from midfill.actions.action import Action, Task, in_code, with_definition
from midfill.actions.rewriting import rewriting
from midfill.edits import Faulty

_STYLE = {
    "python": ", as in `def f(names: list[str], limit: int | None = None) -> dict[str, float]:`",
    "typescript": ", as in `function f(names: string[], limit?: number): number`",
    "tsx": ", as in `function f(names: string[], limit?: number): number`",
    "php": "",
}
"""What is said of them, by grammar of a language in which they may be left out."""


def _prepare(task: Task) -> Task:
    if task.selection.language.grammar not in _STYLE:
        raise Faulty("no-annotations", f"{task.selection.language.name} has no types that could be added")
    return with_definition(task)


def _values(task: Task) -> Mapping[str, str]:
    return {"style": _STYLE[task.selection.language.grammar]}


def _begin(task: Task) -> str:
    """Begin with the declaration up to its first parameter: what comes next has a type, or all would stay as it is."""
    found, code = task.selection.selected_definition, task.selection.code
    opening = f"{found.name}(" if found else ""
    return in_code(task) + (code[: code.index(opening) + len(opening)] if opening and opening in code else "")


TYPES = Action(
    name="types",
    title="Add types",
    kind="refactor.rewrite",
    prepare=_prepare,
    values=_values,
    begin=_begin,
    read=rewriting("all but types"),
)
