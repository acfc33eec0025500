"""Simplify: the same, shorter and as the language's users write it."""

from midfill.actions.action import Action, Task, with_definition
from midfill.actions.checked_edit import Edit, Faulty
from midfill.actions.rewriting import declared, rewriting
from midfill.code.normalize import code_tokens

_rewritten = rewriting("signatures")


def _read(answer: str, task: Task) -> Edit:
    edit = _rewritten(answer, task)
    before, after = (
        len(code_tokens("\n".join(lines), task.selection.language)) for lines in (task.selection.lines, edit.lines)
    )
    if after > before and not task.instruction:
        raise Faulty("longer", "it is longer than before: make it shorter")
    return edit


SIMPLIFY = Action(
    name="simplify",
    title="Simplify",
    kind="refactor.rewrite",
    prepare=with_definition,
    begin=declared,
    read=_read,
)
