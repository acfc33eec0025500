"""Asking for an edit, and asking again if no edit can be made of the first answer."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from midfill.actions.action import Action, ActionTask, Reader
from midfill.actions.checked_edit import Edit, is_whole
from midfill.actions.dialogue import Dialogue
from midfill.actions.prompts import prompt
from midfill.actions.question import ActionQuestion
from midfill.actions.reasons import ActionReason, Faulty
from midfill.actions.result import ActionResult
from midfill.chat.conversation import ChatAnswer
from midfill.inference.sampling import Sampling
from midfill.prompt.chat_template import Message

_MAX_RUNNERS_UP = 3
"""Maximum number of other answers that are tried if the likeliest one changes nothing."""
_SAME_CODE = (ActionReason.UNCHANGED, ActionReason.ONLY_COMMENTS)
_SECOND_SAMPLING = Sampling(temperature=0.7, top_p=0.9)
"""How the answer to a retry is drawn. The likeliest answer would often be the first one again."""


class Attempts:
    """The answers to one question, up to the first that an edit can be made of."""

    def __init__(
        self, action: Action, read: Reader, task: ActionTask, question: ActionQuestion, dialogue: Dialogue
    ) -> None:
        self._action = action
        self._read = read
        self._task = task
        self._question = question
        self._dialogue = dialogue
        self._messages = list(question.messages)
        self._answers: list[ChatAnswer] = []

    def result(self) -> ActionResult:
        """Return the edit, or why there is none."""
        edit, fault = None, None
        try:
            edit = self._edit()
        except Faulty as last:
            fault = last
        return ActionResult(
            edit=edit,
            reason=fault.reason if fault else None,
            detail=str(fault) if fault else "",
            left_out=self._question.left_out,
            seen=self._question.seen,
            task=self._task,
            answers=tuple(self._answers),
            messages=(*self._messages, Message("assistant", self._answers[-1].text)),
        )

    def _edit(self) -> Edit:
        """Return the edit.

        Raises:
            Faulty: no answer gives one.
        """
        try:
            return self._ask(self._action.begin(self._task))
        except Faulty as fault:
            if fault.reason not in _SAME_CODE:
                return self._ask_again(fault)
            if self._action.must_change and (edit := self._runner_up()):
                return edit
            raise

    def _ask_again(self, fault: Faulty) -> Edit:
        """Tell the model what is wrong with its answer, and let it answer once more."""
        self._dialogue.on_progress("once more")
        again = prompt("retry", {"fault": str(fault)})
        self._messages += [Message("assistant", self._answers[-1].text), Message("user", again)]
        return self._ask(self._action.begin(self._task), _SECOND_SAMPLING)

    def _runner_up(self) -> Edit | None:
        """Take another token where the model hesitated to repeat the code, and let it finish that answer."""
        for begin in self._dialogue.conversation.runner_up_beginnings()[:_MAX_RUNNERS_UP]:
            self._dialogue.on_progress("once more")
            with suppress(Faulty):
                return self._ask(begin)
        return None

    def _ask(self, begin: str, sampling: Sampling | None = None) -> Edit:
        original = "" if begin else self._task.selection.code  # a model that begins freely may quote the code first
        enough = self._action.enough or partial(is_whole, original=original)
        answer = self._dialogue.answer(
            self._messages, self._question.max_tokens, enough, begin=begin, sampling=sampling
        )
        self._answers.append(answer)
        if answer.stopped_by == "max-tokens":
            raise Faulty(ActionReason.CUT_SHORT)
        return self._read(answer.text, self._task)
