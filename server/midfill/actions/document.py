"""Document: the docstring or the comment that a definition lacks. The code cannot change: only text is put in."""

from __future__ import annotations

import re
from collections.abc import Mapping

from midfill.actions.action import Action, Task, in_code, with_definition
from midfill.actions.checked_edit import Edit, Faulty, checked
from midfill.actions.docstrings import CONVENTIONS, marked, parameters, place_for, text_of
from midfill.code.syntax import Definition


def _definition(task: Task) -> Definition:
    found = task.selection.definition
    if found is None:
        raise Faulty("no-definition", "there is no function or class to document")
    return found


def _prepare(task: Task) -> Task:
    if task.selection.language.grammar not in CONVENTIONS:
        raise Faulty("no-convention", f"it is not known how {task.selection.language.name} is documented")
    place_for(task.selection, _definition(task))
    return with_definition(task)


def _parameters(task: Task) -> list[str]:
    return parameters(_definition(task), task.selection.language.grammar)


def _values(task: Task) -> Mapping[str, str]:
    names = ", ".join(f"`{name}`" for name in _parameters(task))
    return {
        "convention": CONVENTIONS[task.selection.language.grammar].name,
        "name": _definition(task).name,
        "parameters": f", then what each of its parameters is, by name: {names}" if names else "",
    }


def _begin(task: Task) -> str:
    return in_code(task) + CONVENTIONS[task.selection.language.grammar].first


def _read(answer: str, task: Task) -> Edit:
    place = place_for(task.selection, _definition(task))
    text = text_of(answer)
    if missing := [name for name in _parameters(task) if not re.search(rf"\b{re.escape(name)}\b", text)]:
        raise Faulty("parameter", f"it does not say what `{missing[0]}` is")
    return checked(marked(text, CONVENTIONS[task.selection.language.grammar]), place, "code")


DOCUMENT = Action(
    name="document",
    title="Add documentation",
    kind="refactor.rewrite",
    prepare=_prepare,
    values=_values,
    begin=_begin,
    read=_read,
)
