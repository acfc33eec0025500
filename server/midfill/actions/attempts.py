"""Asking for an edit until one is good: the likeliest answer, others where the model hesitated, a repair, samples.

An answer is good if an edit can be made of it and, where code may be run, if running shows that it is right. Without
such proof the first edit is taken, as nothing tells that another one is better.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

from midfill.actions.action import Action, ActionTask, Reader
from midfill.actions.checked_edit import Edit, is_whole
from midfill.actions.dialogue import Dialogue
from midfill.actions.prompts import prompt
from midfill.actions.proof import Judge, Verdict
from midfill.actions.question import ActionQuestion
from midfill.actions.reasons import ActionReason, Faulty
from midfill.actions.result import ActionResult
from midfill.chat.conversation import ChatAnswer
from midfill.inference.sampling import Sampling
from midfill.prompt.chat_template import Message

_MAX_RUNNERS_UP = 3
"""Maximum number of other answers that are tried where the model hesitated."""
_MAX_REPAIRS, _MAX_SAMPLES = 1, 2
_MAX_SECONDS = 120.0
"""After this time no further answer is begun."""
_SAME_CODE = (ActionReason.UNCHANGED, ActionReason.ONLY_COMMENTS)
_SECOND_SAMPLING = Sampling(temperature=0.7, top_p=0.9)
"""How the answer to a retry is drawn. The likeliest answer would often be the first one again."""


class Attempts:
    """The answers to one question, up to the first good one."""

    def __init__(
        self,
        action: Action,
        read: Reader,
        task: ActionTask,
        question: ActionQuestion,
        dialogue: Dialogue,
        proof: Judge | Verdict | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare to ask.

        Args:
            action: what is done.
            read: makes an edit of an answer.
            task: what it is done to.
            question: what the model is asked.
            dialogue: with the model, and with those who listen.
            proof: judges edits by running code; or says why they cannot be judged; None for an action without proof.
            clock: returns seconds.
        """
        self._action = action
        self._read = read
        self._task = task
        self._question = question
        self._dialogue = dialogue
        self._judge = None if isinstance(proof, Verdict) else proof
        self._clock = clock
        self._until = clock() + _MAX_SECONDS
        self._messages = list(question.messages)
        self._answers: list[ChatAnswer] = []
        self._verdict = proof if isinstance(proof, Verdict) else None

    def result(self) -> ActionResult:
        """Return the edit, or why there is none.

        Raises:
            Cancelled: the action was cancelled.
        """
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
            verdict=self._verdict if edit else None,
            task=self._task,
            answers=tuple(self._answers),
            messages=(*self._messages, Message("assistant", self._answers[-1].text)),
        )

    def _edit(self) -> Edit:
        """Return the edit.

        Raises:
            Faulty: no answer gives one. The reason is the last one's; but an answer that could be run, or that changed
                no code, tells more than others of which nothing could be made.
        """
        begin = self._action.begin(self._task)
        try:
            return self._good(begin)
        except Faulty as first:
            fault = first
        beginnings = self._dialogue.conversation.runner_up_beginnings()[:_MAX_RUNNERS_UP]
        for attempt in self._further(fault, begin, beginnings):
            if self._clock() > self._until:
                break
            self._dialogue.on_progress(f"answer {len(self._answers) + 1}")
            try:
                return attempt()
            except Faulty as later:
                tells_more = fault.reason in (*_SAME_CODE, ActionReason.NOT_PROVED)
                fault = fault if tells_more and later.reason is not ActionReason.NOT_PROVED else later
        raise fault

    def _further(self, first: Faulty, begin: str, beginnings: list[str]) -> Iterator[Callable[[], Edit]]:
        """Yield what is tried after the first answer; more of it if running can tell a good answer from a bad one."""
        proved = self._judge is not None
        same = first.reason in _SAME_CODE
        if (same and self._action.must_change) or first.reason is ActionReason.NOT_PROVED:
            yield from (partial(self._good, other) for other in beginnings)
        if proved or not same:
            yield from [partial(self._repaired, first, begin)] * _MAX_REPAIRS
        if proved:
            yield from [partial(self._good, begin, _SECOND_SAMPLING)] * _MAX_SAMPLES

    def _repaired(self, fault: Faulty, begin: str) -> Edit:
        """Tell the model what is wrong with its first answer, and let it answer once more."""
        again = prompt("retry", {"fault": str(fault)})
        self._messages += [Message("assistant", self._answers[0].text), Message("user", again)]
        return self._good(begin, _SECOND_SAMPLING)

    def _good(self, begin: str, sampling: Sampling | None = None) -> Edit:
        """Ask for an answer that begins so, and return its edit.

        Raises:
            Faulty: no edit can be made of it, or running shows that it is wrong.
        """
        edit = self._ask(begin, sampling)
        if self._judge is not None:
            self._verdict = self._judge.judge(edit)
            if self._verdict.passed is False:
                raise Faulty(ActionReason.NOT_PROVED, self._verdict.said)
            return self._verdict.edit or edit
        return edit

    def _ask(self, begin: str, sampling: Sampling | None) -> Edit:
        original = "" if begin else self._task.selection.code  # a model that begins freely may quote the code first
        enough = self._action.enough or partial(is_whole, original=original)
        answer = self._dialogue.answer(
            self._messages, self._question.max_tokens, enough, begin=begin, sampling=sampling
        )
        self._answers.append(answer)
        text = answer.text
        if answer.stopped_by == "max-tokens":
            text = self._action.complete_part(text)
            if not text:
                raise Faulty(ActionReason.CUT_SHORT)
        return self._read(text, self._task)
