"""What the actions that rewrite code have in common."""

from __future__ import annotations

from collections.abc import Callable

from midfill.actions.action import ActionTask, in_code
from midfill.actions.asked_code import check_rewritten
from midfill.actions.checked_edit import Edit, Keeps, replace_selection
from midfill.actions.docstrings import head_of


def rewriting(keeps: Keeps) -> Callable[[str, ActionTask], Edit]:
    """Return a reader that puts the code of an answer in place of the selected lines.

    A user who gives an instruction may want other declarations; then only the names must stay. They may also want other
    comments, unless there is an error to mend.
    """

    def read(answer: str, task: ActionTask) -> Edit:
        free = task.instruction and keeps == "signatures"
        edit = replace_selection(answer, task.selection, "names" if free else keeps)
        if not free or task.message:
            check_rewritten(edit, task.selection)
        return edit

    return read


def declared(task: ActionTask) -> str:
    """Begin the answer with the declaration and the docstring of the selected definition, so that they stay."""
    found = task.selection.selected_definition
    head = head_of(task.selection, found) if found and not task.instruction else []
    return in_code(task) + "".join(f"{line}\n" for line in task.selection.code.split("\n")[: len(head)])
