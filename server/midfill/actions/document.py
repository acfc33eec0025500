"""Add documentation: the docstring or comment that a definition lacks. Only text is inserted; the code stays."""

from __future__ import annotations

import re
from collections.abc import Mapping

from midfill.actions.action import Action, ActionTask, in_code, with_definition
from midfill.actions.checked_edit import Edit, checked
from midfill.actions.conventions import Conventions
from midfill.actions.docstrings import CONVENTIONS, marked, parameters, place_for, text_of
from midfill.actions.reasons import ActionReason, Faulty
from midfill.code.syntax import Definition


def _definition(task: ActionTask) -> Definition:
    found = task.selection.definition
    if found is None:
        raise Faulty(ActionReason.NO_DEFINITION, "there is no function or class to document")
    return found


def _prepare(task: ActionTask) -> ActionTask:
    if task.selection.language.grammar not in CONVENTIONS:
        raise Faulty(ActionReason.NO_CONVENTION, f"it is not known how {task.selection.language.name} is documented")
    place_for(task.selection, _definition(task))
    return with_definition(task)


def _parameters(task: ActionTask) -> list[str]:
    return parameters(_definition(task), task.selection.language.grammar)


def _values(task: ActionTask) -> Mapping[str, str]:
    names = ", ".join(f"`{name}`" for name in _parameters(task))
    return {
        "convention": CONVENTIONS[task.selection.language.grammar].name,
        "name": _definition(task).name,
        "parameters": f", then what each of its parameters is, by name: {names}" if names else "",
    }


def _begin(task: ActionTask) -> str:
    return in_code(task) + CONVENTIONS[task.selection.language.grammar].first


def _read(answer: str, task: ActionTask) -> Edit:
    place = place_for(task.selection, _definition(task))
    text = text_of(answer)
    if missing := [name for name in _parameters(task) if not re.search(rf"\b{re.escape(name)}\b", text)]:
        raise Faulty(ActionReason.PARAMETER, f"it does not say what `{missing[0]}` is")
    return checked(marked(text, CONVENTIONS[task.selection.language.grammar]), place, "code")


DOCUMENT = Action(
    name="document",
    title="Add documentation",
    kind="refactor.rewrite",
    conventions=Conventions.about_documentation,
    prepare=_prepare,
    values=_values,
    begin=_begin,
    read=_read,
)
