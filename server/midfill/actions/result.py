"""What an action gives."""

from __future__ import annotations

from dataclasses import dataclass

from midfill.actions.action import ActionTask
from midfill.actions.checked_edit import Edit
from midfill.actions.findings import Finding
from midfill.actions.proof import Verdict
from midfill.actions.reasons import ActionReason, Faulty
from midfill.actions.surroundings import Seen
from midfill.chat.conversation import ChatAnswer
from midfill.prompt.chat_template import Message

_MAX_NAMED = 5
"""Maximum number of definitions that a note names."""


@dataclass(frozen=True, kw_only=True)
class ActionResult:
    """An edit, a text, or findings with their text; or the reason why there is none of these."""

    edit: Edit | None = None
    text: str = ""
    """Markdown that loads and runs nothing (:mod:`midfill.common.safe_markdown`)."""
    findings: tuple[Finding, ...] = ()
    """In the order of their lines."""
    reason: ActionReason | None = None
    """Why the action gave nothing; None if it gave something."""
    detail: str = ""
    """The reason in words. Without a reason: what of the task could not be done, in a sentence, "" if all was done."""
    advice: str = ""
    """What the user can do to get a better answer, in a sentence; "" for nothing."""
    left_out: tuple[str, ...] = ()
    """Names of definitions that did not fit into the prompt: used by the selected lines, or among them."""
    seen: tuple[Seen, ...] = ()
    """The other parts of the project that the model was shown."""
    verdict: Verdict | None = None
    """What running the edited code showed, or why it was not run; None where there is nothing to show."""
    task: ActionTask
    """The task, with the lines that the action chose."""
    answers: tuple[ChatAnswer, ...] = ()
    """The model's answers; more than one if the first could not be used, or if there were several parts."""
    messages: tuple[Message, ...] = ()
    """The conversation so far, which a further question continues."""

    @classmethod
    def refused(cls, fault: Faulty, task: ActionTask) -> ActionResult:
        """Return the result of a task that was not done because of a fault."""
        return cls(reason=fault.reason, detail=str(fault), task=task)

    @property
    def note(self) -> str:
        """What a person should know about what was given, in one or two sentences; "" for nothing."""
        if self.reason:
            return ""
        return f"{self.remark} {self.proof}".strip()

    @property
    def remark(self) -> str:
        """What could not be done or read, in a sentence or two; "" for nothing."""
        return f"{self.detail} {self._room}".strip()

    @property
    def proof(self) -> str:
        """What running the edited code showed, or why it was not run, in a sentence; "" for nothing."""
        if self.verdict is None:
            return ""
        return f"{'Checked' if self.verdict.passed else 'Not checked by running'}: {self.verdict.said}."

    @property
    def _room(self) -> str:
        if not self.left_out:
            return ""
        more = len(self.left_out) - _MAX_NAMED
        named = ", ".join(f"`{name}`" for name in self.left_out[:_MAX_NAMED])
        return f"There was no room to read all of {named}{f' and {more} more' if more > 0 else ''}."
