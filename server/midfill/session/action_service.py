"""Actions for an editor, without its protocol: which request is accepted, and what comes of it.

The model's part of the work is done by :class:`midfill.session.action_runner.ActionRunner`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from midfill.actions.action import Action, ActionTask, Gives, Locator
from midfill.actions.checked_edit import Edit
from midfill.actions.findings import Finding, Findings
from midfill.actions.provenance import to_markdown
from midfill.actions.reasons import ActionReason
from midfill.actions.result import ActionResult
from midfill.code.source_files import read_text
from midfill.common.cancel import CancelFlag, Cancelled
from midfill.common.errors import MidfillError
from midfill.common.lines import count_lines
from midfill.session.action_runner import ActionRunner
from midfill.session.snapshots import DocumentSnapshot, OpenDocuments

_MAX_MESSAGE_CHARACTERS = 20_000
"""Number of characters at the end of an error message that are read."""
MayChange = Callable[[Path, Path], bool]
"""Says whether an edit that was asked for in the first path's document may go to the second one's file."""


@dataclass(frozen=True, kw_only=True)
class ActionRequest:
    """What a client wants to have done."""

    action: Action
    uri: str = ""
    """The document; "" to let the message choose it, if the action allows that."""
    lines: tuple[int, int] | None = None
    """The first line and the line after the last one, from 0; None for the whole document."""
    version: int | None = None
    """The version of the document for which the action was offered; None for any."""
    message: str = ""
    """The error message that the action works on."""
    instruction: str = ""
    """What the user wants, in their words."""
    continues: bool = False
    """Whether the request continues the conversation of the last answer, instead of naming a document."""


@dataclass(frozen=True, kw_only=True)
class AcceptedRequest:
    """A request that can be performed."""

    action: Action
    uri: str
    document: DocumentSnapshot | None
    """The document as it was when the request was accepted; None if the last answer's document is closed."""
    task: ActionTask


@dataclass(frozen=True, kw_only=True)
class ActionReply:
    """What came of a request: an edit, a text, findings, or the reason why there is none of these."""

    gives: Gives | None = None
    """Which of them it is; None for a reason."""
    uri: str = ""
    """The document that the request was about."""
    edit: Edit | None = None
    text: str = ""
    """As :attr:`midfill.actions.result.ActionResult.text`."""
    findings: tuple[Finding, ...] = ()
    findings_kept: bool = False
    """Whether :attr:`ActionService.findings` has the findings now. They are not kept if the document has changed."""
    reason: ActionReason | None = None
    detail: str = ""
    """What is known about the reason, or about what could not be done; "" for nothing."""
    note: str = ""
    """What a person should know about what was given; "" for nothing."""
    message: str = ""
    """One sentence to show the user at once; "" for none."""


@dataclass(frozen=True)
class _LastAnswer:
    """The last text that was given."""

    uri: str
    result: ActionResult

    def covers(self, document: DocumentSnapshot, line: int) -> bool:
        """Return whether the text is about a line of a document, and the document has not changed since."""
        selection = self.result.task.selection
        in_lines = selection.first_line <= line < selection.end_line
        return in_lines and (document.uri, document.text) == (self.uri, selection.document)


class ActionService:
    """The actions of one client. For use on one event loop."""

    def __init__(self, runner: ActionRunner, open_documents: OpenDocuments, may_change: MayChange) -> None:
        self._runner = runner
        self._open_documents = open_documents
        self._may_change = may_change
        self._last: _LastAnswer | None = None
        self._why = ""
        self._told: set[str] = set()
        """Why code was not run, as the user was told already. The same line after each action would be a nuisance."""
        self.findings = Findings()
        """What reviews found in open documents, by their URIs."""

    def accept(self, request: ActionRequest) -> AcceptedRequest | ActionReply:
        """Return a request that can be performed, or a reply that says why it cannot."""
        if request.continues:
            return self._accept_question(request)
        uri, documents = request.uri, self._open_documents()
        if not uri and request.action.locate:
            uri = self._located(request.action.locate, request.message[-_MAX_MESSAGE_CHARACTERS:])
        document = documents.get(uri)
        if document is None:
            return _refusal(ActionReason.NOT_OPEN)
        if request.version is not None and request.version != document.version:
            return _refusal(ActionReason.CHANGED)
        task = ActionTask(
            document.select(request.lines),
            message=request.message[-_MAX_MESSAGE_CHARACTERS:],
            instruction=request.instruction,
            whole_file=request.lines is None,
            open_text=self._open_text,
            may_change=partial(self._may_change, Path(document.opened_as or document.path)),
            opened_as=document.opened_as,
        )
        return AcceptedRequest(action=request.action, uri=uri, document=document, task=task)

    async def perform(
        self,
        accepted: AcceptedRequest,
        cancel: CancelFlag,
        *,
        on_text: Callable[[str], None] = lambda _: None,
        on_progress: Callable[[str], None] = lambda _: None,
    ) -> ActionReply:
        """Perform a request after those that were made before. Both listeners are called from another thread.

        Args:
            accepted: the request.
            cancel: ends the work when it is set.
            on_text: called with each piece of a text that a person reads.
            on_progress: called with words that say how far the action is.

        Raises:
            asyncio.CancelledError: the caller was cancelled; the work stops within a step.
        """
        try:
            result = await self._runner.perform(
                accepted.action, accepted.task, cancel, on_text=on_text, on_progress=on_progress
            )
        except Cancelled as stop:
            return ActionReply(reason=ActionReason(stop.reason))
        except MidfillError as error:
            return ActionReply(reason=ActionReason.FAILED, message=str(error))
        self._why = to_markdown(accepted.action.title, result)
        if result.edit and not self._still_fits(accepted, result.edit):
            return _refusal(ActionReason.CHANGED)
        if result.edit and result.edit.path and not accepted.task.may_change(Path(result.edit.path)):
            return _refusal(ActionReason.OUTSIDE)
        if result.text:
            self._last = _LastAnswer(accepted.uri, result)
        kept = accepted.action.gives is Gives.FINDINGS and not result.reason and self._is_current(accepted)
        if kept and accepted.document:
            self.findings.put(accepted.uri, accepted.document.text, result.findings)
        return ActionReply(
            gives=None if result.reason else accepted.action.gives,
            uri=accepted.uri,
            edit=result.edit,
            text=result.text,
            findings=result.findings,
            findings_kept=kept,
            reason=result.reason,
            detail=result.detail,
            note=result.note,
            message=self._message(accepted.action, result, findings_kept=kept),
        )

    def why(self) -> str:
        """Return a section of a Markdown page about what the last action saw; "" if there was none."""
        return self._why

    def answer_at(self, uri: str, line: int) -> str | None:
        """Return the last text if it is about this line of a document, and the document has not changed since."""
        document = self._open_documents().get(uri)
        if document is None or self._last is None or not self._last.covers(document, line):
            return None
        return self._last.result.text

    def _accept_question(self, request: ActionRequest) -> AcceptedRequest | ActionReply:
        """Accept a request that continues the last answer, with the same lines."""
        if self._last is None:
            return _refusal(ActionReason.NO_ANSWER)
        uri, result = self._last.uri, self._last.result
        task = ActionTask(
            result.task.selection,
            instruction=request.instruction,
            history=result.messages,
            opened_as=result.task.opened_as,
        )
        return AcceptedRequest(action=request.action, uri=uri, document=self._open_documents().get(uri), task=task)

    def _located(self, locate: Locator, message: str) -> str:
        """Return the open document that a message is about; "" if it names none."""
        uris = {document.path: uri for uri, document in self._open_documents().items()}
        path = locate(message, uris)
        return uris[path] if path else ""

    def _open_text(self, path: str) -> str | None:
        """Return the text of a file if it is open."""
        return next((document.text for document in self._open_documents().values() if document.path == path), None)

    def _message(self, action: Action, result: ActionResult, *, findings_kept: bool) -> str:
        """Return what to tell the user at once. A text is shown elsewhere."""
        if result.reason:
            nothing = "no good edit found" if action.gives is Gives.EDIT else "no answer"
            return f"Midfill: {nothing} ({result.reason}): {result.detail}. {result.advice}".strip()
        if findings_kept:
            return f"Findings: {len(result.findings)}, shown as hints." if result.findings else result.text
        if action.gives is not Gives.EDIT:
            return ""
        proof = "" if result.proof in self._told else result.proof
        if result.verdict and result.verdict.passed is None:
            self._told.add(proof)
        return f"{result.remark} {proof}".strip()

    def _is_current(self, accepted: AcceptedRequest) -> bool:
        """Return whether the document is open, in the very version that the action saw."""
        return accepted.document is not None and self._open_documents().get(accepted.uri) == accepted.document

    def _still_fits(self, accepted: AcceptedRequest, edit: Edit) -> bool:
        """Return whether the lines that an edit replaces are as they were when it was made."""
        if not edit.path:
            return self._is_current(accepted)
        text = self._open_text(edit.path)
        if text is None:
            text = read_text(Path(edit.path)) or ""
        return count_lines(text) == edit.first_line  # the new lines go below all others


def _refusal(reason: ActionReason) -> ActionReply:
    return ActionReply(reason=reason, message=reason.explanation)
