"""Doing what was asked: the prompt, the answer, and once more if no edit can be made of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from midfill.actions.action import Action, Reader, Task
from midfill.actions.checked_edit import Edit, Faulty, is_whole
from midfill.actions.hunks import merged
from midfill.actions.prompts import block, prompt
from midfill.actions.selection import Around
from midfill.chat.conversation import MAX_ANSWER_TOKENS, ChatAnswer, Conversation
from midfill.code.syntax import MAX_PARSED_CHARACTERS
from midfill.common.cancel import CancelFlag
from midfill.inference.sampling import Sampling
from midfill.privacy.secrets import redact
from midfill.prompt.chat_template import Message

AROUND_TOKENS = 600
"""Of the rest of the document, at most."""
_LEAST_AROUND = 150
"""Of it beside a long selection."""
_QUICKLY_READ = 1_100
"""Tokens of code that are read in a few seconds on two cores: what is around is cut before it makes anybody wait."""
_WRITTEN_ANEW = 1.5
"""An answer may be so many times as long as the code it replaces, besides what any answer may have."""
_ROOM_BESIDES = 400
"""Tokens of the prompt besides code."""
_SHORT_ANSWER = 256
_MOST_READ = 4_000
"""Tokens of code that are read for an explanation; of what is longer, some is shown by its declarations only."""
_TOO_OFTEN = 6
_NOTHING = "Nothing stands out."
_MOST_NAMED = 5
_NUMBER = re.compile(r"\d+")
_RIVALS = 3
"""Answers tried besides the likeliest, where that would change nothing."""
_OTHERWISE = Sampling(temperature=0.7, top_p=0.9)
"""How a second answer is drawn: the likeliest would often be the first one again."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of an action: an edit, or a text to read, or a reason for neither."""

    edit: Edit | None = None
    text: str = ""
    """Markdown."""
    reason: str = ""
    """The code of what was wrong; "" when all went well."""
    detail: str = ""
    """The same in words."""
    left_out: tuple[str, ...] = ()
    """Names of definitions that the prompt had no room for: what the selection uses, or parts of it."""
    task: Task
    """With the lines that were chosen."""
    answers: tuple[ChatAnswer, ...] = ()
    """One, or two when the first could not be used."""
    messages: tuple[Message, ...] = ()
    """The conversation so far, for a question that goes on from it."""

    @property
    def note(self) -> str:
        """What somebody should know of an answer that counts, in a sentence; "" for nothing."""
        if self.reason or not self.left_out:
            return "" if self.reason else self.detail
        more = len(self.left_out) - _MOST_NAMED
        named = ", ".join(f"`{name}`" for name in self.left_out[:_MOST_NAMED])
        room = f"There was no room to read all of {named}{f' and {more} more' if more > 0 else ''}."
        return f"{self.detail} {room}".strip()


def perform(
    action: Action,
    task: Task,
    conversation: Conversation,
    cancel: CancelFlag,
    on_text: Callable[[str], None] = lambda _: None,
    on_progress: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Ask the model, and ask once more with the fault named if no edit can be made of its answer.

    ``on_text`` is given what is there to read as it comes; nothing of an edit, which counts as a whole only.
    ``on_progress`` is told in words how far it is.

    Raises:
        Cancelled: ``cancel`` was set.
        ModelError: the model failed.
        UsageError: the messages leave no room for an answer.
    """
    try:
        _check_needs(action, task)
        task = action.prepare(task)
        parts = action.parts(task) if action.parts else [task]
    except Faulty as fault:
        return Outcome(reason=fault.reason, detail=str(fault), task=task)
    outcomes = []
    for number, part in enumerate(parts, 1):
        told = _numbered(on_progress, number, len(parts)) if len(parts) > 1 else on_progress
        told("reading the code")
        outcomes.append(_perform(action, part, conversation, cancel, on_text, told))
        if number < len(parts) and outcomes[-1].text:
            on_text("\n\n")
    outcome = outcomes[0] if len(outcomes) == 1 else _together(task, outcomes)
    if action.look and not outcome.text and not outcome.reason:
        on_text(_NOTHING)
        return replace(outcome, text=_NOTHING)
    return outcome


def _perform(
    action: Action,
    task: Task,
    conversation: Conversation,
    cancel: CancelFlag,
    on_text: Callable[[str], None],
    on_progress: Callable[[str], None],
) -> Outcome:
    if len(task.selection.code) > MAX_PARSED_CHARACTERS:
        detail = f"{len(task.selection.code):,} characters of code are too many: select less"
        return Outcome(reason="too-long", detail=detail, task=task)
    length = conversation.count(task.selection.code)
    most = int(length * _WRITTEN_ANEW) + _SHORT_ANSWER if action.read else MAX_ANSWER_TOKENS
    code = Around(action.shown(task))
    if action.read is None and length > _MOST_READ:
        code = task.selection.outline(conversation.count, _MOST_READ, task.instruction)
        length = _MOST_READ
    if length + most + _ROOM_BESIDES > conversation.room:
        detail = f"{length} tokens of code are more than there is room for: select less"
        return Outcome(reason="too-long", detail=detail, task=task)
    wanted = min(max(_QUICKLY_READ - length, _LEAST_AROUND), AROUND_TOKENS)
    budget = min(wanted, conversation.room - length - most - _ROOM_BESIDES)
    around = task.selection.around(conversation.count, budget)
    messages = [*_opening(task), Message("user", _question(action, task, code.text, around.text))]
    left_out = (*code.left_out, *around.left_out)
    if action.look:
        lines = []
        for line in action.look(task, messages, conversation, cancel):
            on_text(line)
            lines.append(line)
        return Outcome(text="".join(lines).strip(), left_out=left_out, task=task)
    if action.read is None:
        heard = _counting(on_progress, on_text)
        answer = conversation.answer(messages, cancel, max_tokens=most, on_text=heard, enough=is_stuck)
        said = (*messages, Message("assistant", answer.text))
        return Outcome(text=answer.text.strip(), left_out=left_out, task=task, answers=(answer,), messages=said)
    return _edit(action, action.read, task, conversation, cancel, on_progress, messages, most, left_out)


def _together(task: Task, outcomes: Sequence[Outcome]) -> Outcome:
    """Make one outcome of the parts': what counts of each, or the last reason why nothing does."""
    edits = [outcome.edit for outcome in outcomes if outcome.edit]
    failed = [outcome for outcome in outcomes if outcome.reason]
    together = Outcome(
        edit=merged(edits, task.selection.document) if edits else None,
        text="\n\n".join(outcome.text for outcome in outcomes if outcome.text),
        left_out=tuple(dict.fromkeys(name for outcome in outcomes for name in outcome.left_out)),
        task=task,
        answers=tuple(answer for outcome in outcomes for answer in outcome.answers),
        messages=outcomes[-1].messages,
    )
    if len(failed) == len(outcomes):
        return replace(together, reason=failed[-1].reason, detail=failed[-1].detail)
    return replace(together, detail=f"{len(failed)} of {len(outcomes)} could not be done." if failed else "")


def _edit(
    action: Action,
    read: Reader,
    task: Task,
    conversation: Conversation,
    cancel: CancelFlag,
    on_progress: Callable[[str], None],
    messages: list[Message],
    most: int,
    left_out: tuple[str, ...],
) -> Outcome:
    """Ask for an edit, and once more if there is none.

    Code that must change and is repeated all the same is left where the model hesitated to repeat it.
    """
    answers: list[ChatAnswer] = []
    edit, fault = None, None

    def ask(begin: str, sampling: Sampling | None = None) -> Edit:
        original = "" if begin else task.selection.code  # who talks first may quote it first
        answer = conversation.answer(
            messages,
            cancel,
            max_tokens=most,
            begin=begin,
            sampling=sampling,
            on_text=_counting(on_progress),
            enough=action.enough or partial(is_whole, original=original),
        )
        answers.append(answer)
        if answer.stopped_by == "max-tokens":
            raise Faulty("cut-short", "the answer is too long")
        return read(answer.text, task)

    try:
        edit = ask(action.begin(task))
    except Faulty as found:
        fault = found
    if fault and fault.reason == "unchanged":
        for begin in conversation.runner_up_beginnings()[:_RIVALS] if action.must_change else []:
            on_progress("once more")
            with suppress(Faulty):
                edit, fault = ask(begin), None
                break
    elif fault:
        on_progress("once more")
        again = prompt("retry", {"fault": str(fault)})
        messages += [Message("assistant", answers[-1].text), Message("user", again)]
        try:
            edit, fault = ask(action.begin(task), _OTHERWISE), None
        except Faulty as found:
            fault = found
    messages.append(Message("assistant", answers[-1].text))
    return Outcome(
        edit=edit,
        reason=fault.reason if fault else "",
        detail=str(fault) if fault else "",
        left_out=left_out,
        task=task,
        answers=tuple(answers),
        messages=tuple(messages),
    )


def is_stuck(text: str) -> bool:
    """Say whether the last lines of a text are the same again and again, but for their numbers, as small models do."""
    if not text.endswith("\n"):
        return False
    last = [_NUMBER.sub("", line).strip() for line in text.rstrip("\n").rsplit("\n", _TOO_OFTEN)[-_TOO_OFTEN:]]
    return len(last) == _TOO_OFTEN and len(last[0]) > 1 and len(set(last)) == 1


def _check_needs(action: Action, task: Task) -> None:
    if action.needs == "message" and not task.message.strip():
        raise Faulty("no-message", "there is no error message to go by")
    if action.needs == "instruction" and not task.instruction.strip():
        raise Faulty("no-instruction", "there is nothing asked")


def _opening(task: Task) -> tuple[Message, ...]:
    return task.history or (Message("system", prompt("system", {})),)


def _counting(
    on_progress: Callable[[str], None], on_text: Callable[[str], None] = lambda _: None
) -> Callable[[str], None]:
    """Return a listener to an answer, which tells how much of it is there."""
    pieces = 0

    def heard(text: str) -> None:
        nonlocal pieces
        pieces += 1
        on_text(text)
        on_progress(f"{pieces} tokens")

    return heard


def _numbered(on_progress: Callable[[str], None], number: int, count: int) -> Callable[[str], None]:
    return lambda message: on_progress(f"{number} of {count}: {message}")


def _question(action: Action, task: Task, code: str, around: str) -> str:
    language = task.selection.language
    if task.history:  # the code has been shown
        return redact(task.instruction).text
    found = task.selection.selected_definition
    context = f"Other parts of the file, for reference:\n\n{block(around, language.grammar)}\n\n" if around else ""
    values = {
        "language": language.name,
        "block": block(code, language.grammar),
        "context": context,
        "part": f"`{found.name}`" if found else "the code above",
        "instruction": task.instruction,
        **action.values(task),
    }
    for name in ("message", "instruction"):  # a user's own, which may hold secrets
        values[name] = redact(values.get(name, "")).text
    values["also"] = f" {values['instruction']}" if values["instruction"] else ""
    return prompt(action.prompt(task) if action.prompt else action.name, values)
