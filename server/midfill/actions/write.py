"""Write: code for a comment, for an instruction, or for a declaration that has no body yet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from midfill.actions.action import Action, ActionTask, in_code
from midfill.actions.asked_code import check_known, check_new, is_unwritten
from midfill.actions.checked_edit import Edit, checked, code_in, replace_selection
from midfill.actions.reasons import ActionReason, Faulty
from midfill.actions.rewriting import declared
from midfill.actions.selection import Selection, dedented, margin_of
from midfill.code.normalize import code_tokens

_MARKS = re.compile(r"^[ \t]*(?:///?|#+|--+|/\*+|\*/|\*)?[ \t]?|(?<![ \t])[ \t]*\*/[ \t]*$", re.MULTILINE)
"""What marks a comment."""
_EXAMPLE = re.compile(
    r"^[ \t]*(?:#|//|--|/\*)[ \t]*(?:example|usage|test)\b|^if __name__\b", re.IGNORECASE | re.MULTILINE
)
"""Where an example of how to use the code begins; models add one though nobody asked."""


def _is_comment(selection: Selection) -> bool:
    return bool(selection.code.strip()) and not code_tokens(selection.code, selection.language)


def _prepare(task: ActionTask) -> ActionTask:
    """Choose the lines to replace: a definition without a body, none (below a comment), or the selected ones."""
    selection = task.selection
    if is_unwritten(selection):
        return replace(task, selection=selection.of_definition())
    if _is_comment(selection):
        instruction = "\n".join(filter(None, (_MARKS.sub("", selection.code).strip(), task.instruction)))
        below = selection.of_lines(selection.end_line, selection.end_line, margin_of(selection.lines))
        return replace(task, selection=below, instruction=instruction)
    if not task.instruction:
        raise Faulty(
            ActionReason.NO_INSTRUCTION, "there is no comment here that says what to write: give an instruction"
        )
    if selection.end_line - selection.first_line == 1 and selection.code.strip():  # a cursor in a line, which stays
        indent = margin_of(selection.lines)
        return replace(task, selection=selection.of_lines(selection.end_line, selection.end_line, indent))
    return task


def _values(task: ActionTask) -> Mapping[str, str]:
    return {"instruction": task.instruction or "It must do what its name and its documentation say."}


def prompt_of(task: ActionTask) -> str:
    """Return the name of the prompt: one completes a definition, the other writes new code."""
    return "complete" if is_unwritten(task.selection) else "write"


def _begin(task: ActionTask) -> str:
    return declared(replace(task, instruction="")) if is_unwritten(task.selection) else in_code(task)


def _read(answer: str, task: ActionTask) -> Edit:
    selection = task.selection
    if is_unwritten(selection):
        edit = replace_selection(answer, selection, "signatures")
        written = edit.apply(selection.redacted)
        if is_unwritten(Selection(written, selection.language, edit.first_line, edit.first_line + 1)):
            raise Faulty(ActionReason.UNCHANGED, "the body is still missing")
        check_known(edit, selection)
        return edit
    code = code_in(answer)
    if found := _EXAMPLE.search(code):
        code = code[: found.start()].rstrip()
    above = {line.strip() for line in selection.redacted_lines[: selection.first_line]}
    lines = code.split("\n")
    while lines and (not lines[0].strip() or lines[0].strip() in above):  # an import, or the comment
        del lines[0]
    if not lines:
        raise Faulty(ActionReason.UNCHANGED, "there is nothing but what was there already")
    code = "\n".join(dedented(lines))
    check_new(code, selection)
    edit = checked(code, selection, "nothing")
    check_known(edit, selection)
    return edit


WRITE = Action(
    name="write",
    title="Write this code",
    kind="refactor.rewrite",
    prepare=_prepare,
    prompt=prompt_of,
    values=_values,
    begin=_begin,
    read=_read,
    must_change=True,
)
