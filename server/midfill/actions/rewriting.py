"""What the actions that rewrite code share."""

from __future__ import annotations

from collections.abc import Callable

from midfill.actions.action import Task
from midfill.edits import Edit, Keeps, replace_selection


def rewriting(keeps: Keeps) -> Callable[[str, Task], Edit]:
    """Return what reads an answer as the code that takes the selected lines' place."""

    def read(answer: str, task: Task) -> Edit:
        return replace_selection(answer, task.selection, keeps)

    return read
