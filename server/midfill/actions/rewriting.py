"""What the actions that rewrite code share."""

from __future__ import annotations

from collections.abc import Callable

from midfill.actions.action import Task, in_code
from midfill.actions.checked_edit import Edit, Keeps, replace_selection
from midfill.actions.docstrings import head_of


def rewriting(keeps: Keeps) -> Callable[[str, Task], Edit]:
    """Return what reads an answer as the code that takes the selected lines' place.

    Who gives an instruction of their own may want other declarations, so only names stay then.
    """

    def read(answer: str, task: Task) -> Edit:
        asked = task.instruction and keeps == "signatures"
        return replace_selection(answer, task.selection, "names" if asked else keeps)

    return read


def declared(task: Task) -> str:
    """Begin with how the selected definition is declared and documented, which is to stay: what is left is its body."""
    found = task.selection.selected_definition
    head = head_of(task.selection, found) if found and not task.instruction else []
    return in_code(task) + "".join(f"{line}\n" for line in task.selection.code.split("\n")[: len(head)])
