"""Simplify: shorter code that does the same, in the usual style of its language."""

from midfill.actions.action import Action, ActionTask, Proves, with_definition
from midfill.actions.checked_edit import Edit
from midfill.actions.reasons import ActionReason, Faulty
from midfill.actions.rewriting import declared, rewriting
from midfill.code.normalize import code_tokens

_rewritten = rewriting("signatures")


def _read(answer: str, task: ActionTask) -> Edit:
    edit = _rewritten(answer, task)
    before, after = (
        len(code_tokens("\n".join(lines), task.selection.language)) for lines in (task.selection.lines, edit.lines)
    )
    if after > before and not task.instruction:
        raise Faulty(ActionReason.LONGER)
    return edit


SIMPLIFY = Action(
    name="simplify",
    title="Simplify",
    kind="refactor.rewrite",
    proves=Proves.KEEPS,
    prepare=with_definition,
    begin=declared,
    read=_read,
)
