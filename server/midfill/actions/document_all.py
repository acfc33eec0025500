"""Document all: add the documentation that functions and classes of a file lack, one after the other."""

from __future__ import annotations

from dataclasses import replace

from midfill.actions.action import Action, ActionTask, Place
from midfill.actions.conventions import Conventions
from midfill.actions.docstrings import CONVENTIONS, place_for
from midfill.actions.document import DOCUMENT
from midfill.actions.reasons import ActionReason, Faulty


def _parts(task: ActionTask) -> list[ActionTask]:
    selection = task.selection
    if selection.language.grammar not in CONVENTIONS:
        raise Faulty(ActionReason.NO_CONVENTION, f"it is not known how {selection.language.name} is documented")
    parts: list[ActionTask] = []
    for definition in selection.syntax.definitions():
        if definition.kind not in ("function", "class"):
            continue
        whole = selection.of_lines(definition.first_line, definition.last_line + 1)
        try:
            place = place_for(whole, definition)
            if whole.selected_definition == definition and place.first_line == place.end_line:
                parts.append(DOCUMENT.prepare(replace(task, selection=whole)))
        except Faulty:  # it has no body, or one on the line of its declaration
            continue
    if not parts:
        raise Faulty(ActionReason.DOCUMENTED)
    return parts


def _whole_file(task: ActionTask) -> ActionTask:
    return replace(task, selection=task.selection.of_document())


DOCUMENT_ALL = Action(
    name="document-all",
    title="Document all that is not documented",
    kind="source.midfill.document",
    conventions=Conventions.about_documentation,
    offered=frozenset({Place.FILE}),
    prepare=_whole_file,
    parts=_parts,
    values=DOCUMENT.values,
    prompt=lambda _: DOCUMENT.name,
    begin=DOCUMENT.begin,
    read=DOCUMENT.read,
)
