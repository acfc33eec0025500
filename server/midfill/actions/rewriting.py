"""What the actions that rewrite code share."""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile

from midfill.actions.action import Task, in_code
from midfill.edits import Edit, Keeps, replace_selection
from midfill.selection import dedented


def rewriting(keeps: Keeps) -> Callable[[str, Task], Edit]:
    """Return what reads an answer as the code that takes the selected lines' place.

    Who gives an instruction of their own may want other declarations, so only names stay then.
    """

    def read(answer: str, task: Task) -> Edit:
        asked = task.instruction and keeps == "signatures"
        return replace_selection(answer, task.selection, "names" if asked else keeps)

    return read


def declared(task: Task) -> str:
    """Begin with the declaration of the selected definition, which is to stay: what is left to write is its body."""
    found = task.selection.selected_definition
    lines = task.selection.code.split("\n")
    wanted = dedented(found.signature.split("\n")) if found and not task.instruction else []
    if wanted and not lines[0].startswith(wanted[0]):  # a comment that stands above
        del wanted[0]
    pairs = zip(lines, wanted, strict=False)
    header = [line for line, _ in takewhile(lambda pair: pair[1] and pair[0].startswith(pair[1]), pairs)]
    if len(header) == len(lines):
        header = []
    return in_code(task) + "".join(f"{line}\n" for line in header)
