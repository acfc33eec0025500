"""What the actions that rewrite code share."""

from __future__ import annotations

from collections.abc import Callable

from midfill.actions.action import Task
from midfill.edits import Edit, Keeps, replace_selection


def rewriting(keeps: Keeps) -> Callable[[str, Task], Edit]:
    """Return what reads an answer as the code that takes the selected lines' place.

    Who gives an instruction of their own may want other declarations, so only names stay then.
    """

    def read(answer: str, task: Task) -> Edit:
        asked = task.instruction and keeps == "signatures"
        return replace_selection(answer, task.selection, "names" if asked else keeps)

    return read
