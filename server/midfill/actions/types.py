"""Types: annotations where the language has them, and nothing but them."""

from __future__ import annotations

from collections.abc import Mapping

from midfill.actions.action import Action, Task, with_definition
from midfill.actions.rewriting import rewriting
from midfill.edits import Faulty

_STYLE = {
    "python": ", with the built-in types such as list[int] and `X | None`",
    "typescript": "",
    "tsx": "",
    "php": "",
}
"""What is said of them, by grammar of a language in which they may be left out."""


def _prepare(task: Task) -> Task:
    if task.selection.language.grammar not in _STYLE:
        raise Faulty("no-annotations", f"{task.selection.language.name} has no types that could be added")
    return with_definition(task)


def _values(task: Task) -> Mapping[str, str]:
    return {"style": _STYLE[task.selection.language.grammar]}


TYPES = Action(
    name="types",
    title="Add types",
    kind="refactor.rewrite",
    prepare=_prepare,
    values=_values,
    read=rewriting("all but types"),
)
