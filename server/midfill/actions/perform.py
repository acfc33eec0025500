"""Doing an action: choose the lines, ask the model, and make an edit, a text or findings of what it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from midfill.actions.action import Action, ActionTask, Finder, Need, prepared
from midfill.actions.attempts import Attempts
from midfill.actions.dialogue import Dialogue
from midfill.actions.hunks import merged
from midfill.actions.proving import proof_of
from midfill.actions.question import ActionQuestion, question_about
from midfill.actions.reasons import ActionReason, Faulty
from midfill.actions.result import ActionResult
from midfill.chat.conversation import Conversation
from midfill.common.cancel import CancelFlag
from midfill.common.safe_markdown import SafeMarkdown, safe_markdown
from midfill.prompt.chat_template import Message

_NO_FINDINGS = "Nothing stands out."
_MAX_SAME_LINES = 6
_NUMBER = re.compile(r"\d+")


Perform = Callable[
    [Action, ActionTask, Conversation, CancelFlag, Callable[[str], None], Callable[[str], None]], ActionResult
]
"""Does an action, as :func:`perform` does."""


def perform(
    action: Action,
    task: ActionTask,
    conversation: Conversation,
    cancel: CancelFlag,
    on_text: Callable[[str], None] = lambda _: None,
    on_progress: Callable[[str], None] = lambda _: None,
) -> ActionResult:
    """Do an action.

    Args:
        action: what to do.
        task: the lines, and what the user says.
        conversation: with the model.
        cancel: ends the work when it is set.
        on_text: called with each piece of a text that a person reads, as it comes. It gets nothing of an edit.
        on_progress: called with words that say how far the action is.

    Raises:
        Cancelled: ``cancel`` was set.
        ModelError: the model failed.
        UsageError: the messages leave no room for an answer.
    """
    dialogue = Dialogue(conversation, cancel, on_text, on_progress)
    try:
        _check_needs(action, task)
        task = prepared(action, task)
        parts = action.parts(task) if action.parts else [task]
    except Faulty as fault:
        return ActionResult.refused(fault, task)
    results = []
    for number, part in enumerate(parts, 1):
        results.append(_perform_part(action, part, dialogue.of_part(number, len(parts))))
        if number < len(parts) and results[-1].text:
            on_text("\n\n")
    result = results[0] if len(results) == 1 else _together(task, results)
    if action.find and not result.text and not result.reason:
        on_text(_NO_FINDINGS)
        return replace(result, text=_NO_FINDINGS)
    return result


def _check_needs(action: Action, task: ActionTask) -> None:
    if action.needs is Need.MESSAGE and not task.message.strip():
        raise Faulty(ActionReason.NO_MESSAGE)
    if action.needs is Need.INSTRUCTION and not task.instruction.strip():
        raise Faulty(ActionReason.NO_INSTRUCTION)


def _perform_part(action: Action, task: ActionTask, dialogue: Dialogue) -> ActionResult:
    dialogue.on_progress("reading the code")
    try:
        question = question_about(action, task, dialogue.conversation)
    except Faulty as fault:
        return ActionResult.refused(fault, task)
    if action.find:
        return _findings(action.find, task, question, dialogue)
    if action.read:
        with proof_of(action, task, dialogue.cancel, dialogue.on_progress) as proof:
            return Attempts(action, action.read, task, question, dialogue, proof).result()
    return _text(task, question, dialogue)


def _findings(find: Finder, task: ActionTask, question: ActionQuestion, dialogue: Dialogue) -> ActionResult:
    """Return what may be wrong in the lines, and show each finding at once."""
    findings, lines = [], []
    for finding in find(task, question.messages, dialogue.conversation, dialogue.cancel):
        findings.append(finding)
        lines.append(safe_markdown(f"- Line {finding.line + 1}: {finding.text}\n"))
        dialogue.on_text(lines[-1])
    text = "".join(lines).strip()
    return ActionResult(text=text, findings=tuple(findings), left_out=question.left_out, seen=question.seen, task=task)


def _text(task: ActionTask, question: ActionQuestion, dialogue: Dialogue) -> ActionResult:
    """Return what the model says, and show it as it comes."""
    shown = SafeMarkdown(dialogue.on_text)
    answer = dialogue.answer(question.messages, question.max_tokens, is_stuck, on_text=shown.write)
    shown.end()
    return ActionResult(
        text=safe_markdown(answer.text).strip(),
        left_out=question.left_out,
        seen=question.seen,
        task=task,
        answers=(answer,),
        messages=(*question.messages, Message("assistant", answer.text)),
    )


def is_stuck(text: str) -> bool:
    """Return whether the last lines of a text differ in their numbers only: small models repeat themselves for ever."""
    if not text.endswith("\n"):
        return False
    last = text.rstrip("\n").rsplit("\n", _MAX_SAME_LINES)[-_MAX_SAME_LINES:]
    without_numbers = [_NUMBER.sub("", line).strip() for line in last]
    return len(last) == _MAX_SAME_LINES and len(without_numbers[0]) > 1 and len(set(without_numbers)) == 1


def _together(task: ActionTask, results: Sequence[ActionResult]) -> ActionResult:
    """Join the results of the parts. If all parts failed, the reason is the last one's."""
    edits = [result.edit for result in results if result.edit]
    failed = [result for result in results if result.reason]
    together = ActionResult(
        edit=merged(edits, task.selection.document) if edits else None,
        text="\n\n".join(result.text for result in results if result.text),
        findings=tuple(finding for result in results for finding in result.findings),
        left_out=tuple(dict.fromkeys(name for result in results for name in result.left_out)),
        seen=tuple(dict.fromkeys(seen for result in results for seen in result.seen)),
        task=task,
        answers=tuple(answer for result in results for answer in result.answers),
        messages=results[-1].messages,
    )
    if len(failed) == len(results):
        return replace(together, reason=failed[-1].reason, detail=failed[-1].detail)
    return replace(together, detail=f"{len(failed)} of {len(results)} could not be done." if failed else "")
