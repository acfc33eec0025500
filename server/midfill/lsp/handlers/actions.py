"""Code actions over LSP: offered at once, done when they are chosen, and what comes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams

from midfill.actions import Outcome, Task, findings
from midfill.actions.checked_edit import Edit
from midfill.actions.fix import line_of
from midfill.actions.selection import lines_of
from midfill.code.source_files import read_text
from midfill.common.cancel import CancelFlag, Cancelled
from midfill.common.errors import MidfillError
from midfill.lsp.code_actions import Client, Wanted, offers
from midfill.lsp.progress import WorkProgress
from midfill.lsp.server import MidfillServer, path_of, text_free
from midfill.lsp.streamed_text import ShownText
from midfill.lsp.text_document import Document
from midfill.lsp.workspace_edits import workspace_edit

ASK = "midfill.ask"
CLEAR_FINDINGS = "midfill.clearFindings"
_PROGRESS_EVERY = 0.1
"""Seconds: as often as anybody can read how many tokens there are."""
_MOVED_ON = "Midfill edited nothing: the text has changed since. Choose the action again."


@text_free
async def code_action(server: MidfillServer, params: types.CodeActionParams) -> list[types.CodeAction | types.Command]:
    """Return the titles of what can be done; nothing is computed before one is chosen."""
    uri = params.text_document.uri
    document = server.protocol.documents.get(uri)
    if document is None:
        return []
    client = Client.of(server.client_capabilities)
    return await asyncio.to_thread(offers, uri, document, path_of(uri), params, client)


@text_free
async def resolve(server: MidfillServer, action: types.CodeAction) -> types.CodeAction:
    """Do an action, for its edit; without one the action stays as it is, and the user is told why."""
    if action.data is None:  # an action with a command
        return action
    wanted = Wanted.read(action.data)
    outcome = await _do(server, wanted, action.title)
    if isinstance(outcome, Outcome) and outcome.edit is not None:
        action.edit = _workspace_edit(server, wanted, outcome.task, outcome.edit, action.title)
    return action


@text_free
async def do(server: MidfillServer, params: types.ExecuteCommandParams) -> dict[str, Any]:
    """Do an action: apply its edit, show its text, publish what it found; return all that in words, too."""
    wanted = Wanted.read(_only_argument(params))
    if not wanted.uri and wanted.action.name == "fix":
        wanted = _where_it_arose(server, wanted)
    return await _do_and_show(server, wanted, params.work_done_token)


@text_free
async def ask(server: MidfillServer, params: types.ExecuteCommandParams) -> dict[str, Any]:
    """Ask about some lines, or go on from the last answer: ``{text, uri?, range?}``."""
    said = _only_argument(params)
    if not isinstance(said, Mapping) or not isinstance(said.get("text"), str) or not said["text"].strip():
        raise JsonRpcInvalidParams(f"{params.command} takes one object: {{text, uri?, range?}}")
    wanted = Wanted.read({**said, "action": "ask", "instruction": said["text"]})
    if wanted.uri:
        return await _do_and_show(server, wanted, params.work_done_token)
    last = server.answers.last
    if last is None:
        server.show(types.MessageType.Info, "There is no answer yet that a question could go on from.")
        return _to_json("no-answer")
    return await _do_and_show(server, wanted, params.work_done_token, going_on=last)


def clear_findings(server: MidfillServer, _params: types.ExecuteCommandParams) -> None:
    """Take away what reviews have found."""
    for uri in server.findings.documents:
        server.findings.forget(uri)
        server.publish_findings(uri)


def hover(server: MidfillServer, params: types.HoverParams) -> types.Hover | None:
    """Return the last explanation, if the place is what it explains."""
    document, last = server.protocol.documents.get(params.text_document.uri), server.answers.last
    if document is None or last is None:
        return None
    if not last.covers(params.text_document.uri, document.text, params.position.line):
        return None
    text_document = server.client_capabilities.text_document
    formats = text_document.hover.content_format if text_document and text_document.hover else None
    kind = types.MarkupKind.Markdown
    if formats and kind not in formats:
        kind = types.MarkupKind.PlainText
    return types.Hover(types.MarkupContent(kind, last.outcome.text))


def text_content(server: MidfillServer, params: types.TextDocumentContentParams) -> types.TextDocumentContentResult:
    """Return the text of one of Midfill's own documents."""
    return types.TextDocumentContentResult(server.answers.text(params.uri))


async def _do_and_show(
    server: MidfillServer, wanted: Wanted, token: types.ProgressToken | None, going_on: ShownText | None = None
) -> dict[str, Any]:
    outcome = await _do(server, wanted, wanted.action.title, token, going_on)
    applied = False
    if isinstance(outcome, Outcome) and outcome.edit is not None:
        applied = await _apply(server, wanted, outcome.task, outcome.edit)
    return _to_json(outcome, applied=applied, reviewed=wanted.action.name == "review")


async def _do(
    server: MidfillServer,
    wanted: Wanted,
    title: str,
    token: types.ProgressToken | None = None,
    going_on: ShownText | None = None,
) -> Outcome | str:
    """Do an action and show what there is to read of it; return the reason code if there is no outcome."""
    uri = going_on.uri if going_on else wanted.uri
    document = server.protocol.documents.get(uri)
    if going_on is not None:
        task = Task(going_on.outcome.task.selection, instruction=wanted.instruction, history=going_on.outcome.messages)
    elif document is None:
        server.show(types.MessageType.Warning, "Midfill works on open files only: open this one.")
        return "not-open"
    elif wanted.version is not None and wanted.version != document.version:
        server.show(types.MessageType.Warning, _MOVED_ON)
        return "changed"
    else:
        task = wanted.task(document, path_of(uri), server.current_text)
    outcome = await _perform(server, wanted, task, title, token)
    if isinstance(outcome, str):
        return outcome
    if outcome.reason:
        nothing = "no good edit found" if wanted.action.read else "no answer"
        server.show(types.MessageType.Warning, f"Midfill: {nothing} ({outcome.reason}): {outcome.detail}.")
        return outcome
    if outcome.edit is not None and not _still_fits(server, uri, document, outcome.edit):
        server.show(types.MessageType.Warning, _MOVED_ON)
        return "changed"
    if outcome.edit is not None and outcome.note:
        server.show(types.MessageType.Info, outcome.note)
    if outcome.text:
        server.answers.last = ShownText(uri, task.selection.document, outcome)
    if wanted.action.name == "review" and document is not None and server.protocol.documents.get(uri) is document:
        found = findings(outcome.text, outcome.task)
        server.findings.put(uri, document, found)
        server.publish_findings(uri)
        server.show(types.MessageType.Info, f"Findings: {len(found)}, shown as hints." if found else outcome.text)
    return outcome


async def _perform(
    server: MidfillServer, wanted: Wanted, task: Task, title: str, token: types.ProgressToken | None
) -> Outcome | str:
    """Do an action, with its progress and its text shown as they come; return why it has none if it was ended."""
    assert server.session is not None  # noqa: S101 -- no request comes before `initialize`, see the protocol
    cancel = CancelFlag()
    server.wake()
    answer = server.answers.begin(server, title) if wanted.action.read is None else None
    progress = WorkProgress(
        server, title, token=token, on_cancel=lambda: cancel.set("cancelled"), every=_PROGRESS_EVERY
    )
    try:
        async with progress:
            outcome = await server.session.actions.perform(
                wanted.action,
                task,
                cancel,
                on_text=answer.write if answer else lambda _: None,
                on_progress=progress.report,
            )
    except Cancelled as stop:
        return stop.reason
    except MidfillError as error:
        server.show(types.MessageType.Error, str(error))
        return "failed"
    finally:
        if answer:
            answer.end()
    if answer and outcome.text and wanted.action.name != "review":
        note = f"\n\n_{outcome.note}_" if outcome.note else ""
        await answer.show(f"{outcome.text}{note}")
    return outcome


def _still_fits(server: MidfillServer, uri: str, document: Document | None, edit: Edit) -> bool:
    """Say whether an edit's document is as it was when the edit was made."""
    if not edit.path:
        return server.protocol.documents.get(uri) is document
    text = server.current_text(edit.path)
    if text is None:
        text = read_text(Path(edit.path)) or ""
    return len(lines_of(text)) == edit.first_line  # it goes below what is there


def _workspace_edit(server: MidfillServer, wanted: Wanted, task: Task, edit: Edit, label: str) -> types.WorkspaceEdit:
    if not edit.path:
        document = server.protocol.documents[wanted.uri]
        return workspace_edit(edit, document, wanted.uri, label, server.client_capabilities)
    uri, open_document = server.open_document(edit.path)
    text = "" if open_document else read_text(Path(edit.path)) or ""
    encoding = server.protocol.documents[wanted.uri].encoding
    document = open_document or Document(text, language=task.selection.language.name, encoding=encoding)
    is_new = open_document is None and not Path(edit.path).exists()
    return workspace_edit(edit, document, uri, label, server.client_capabilities, is_new=is_new)


async def _apply(server: MidfillServer, wanted: Wanted, task: Task, edit: Edit) -> bool:
    """Have the client apply an edit; say whether it did."""
    workspace = server.client_capabilities.workspace
    if workspace is None or not workspace.apply_edit:
        server.show(types.MessageType.Warning, "Midfill edited nothing: this editor takes no edits from a server.")
        return False
    title = wanted.action.title
    params = types.ApplyWorkspaceEditParams(_workspace_edit(server, wanted, task, edit, title), label=title)
    try:
        result = await server.workspace_apply_edit_async(params)
    except JsonRpcException:
        return False
    if not result.applied:
        server.show(types.MessageType.Info, "The editor applied nothing of Midfill's edit.")
    return bool(result.applied)


def _where_it_arose(server: MidfillServer, wanted: Wanted) -> Wanted:
    """Find the open document in which an error arose, by its traceback: Python ends with it, others begin with it."""
    message = wanted.message
    paths = {path_of(uri): uri for uri in server.protocol.documents}
    named = [path for path in paths if line_of(message, path) is not None]
    last = 'File "' in message
    named.sort(key=lambda path: -message.rfind(PurePath(path).name) if last else message.find(PurePath(path).name))
    return replace(wanted, uri=paths[named[0]] if named else "")


def _only_argument(params: types.ExecuteCommandParams) -> object:
    arguments = params.arguments or ()
    if len(arguments) != 1:
        raise JsonRpcInvalidParams(f"{params.command} takes one object")
    return arguments[0]


def _to_json(outcome: Outcome | str, *, applied: bool = False, reviewed: bool = False) -> dict[str, Any]:
    if isinstance(outcome, str):
        return {"text": "", "applied": False, "reason": outcome, "detail": "", "note": "", "findings": []}
    found = findings(outcome.text, outcome.task) if reviewed else []
    return {
        "text": outcome.text,
        "applied": applied,
        "reason": outcome.reason,
        "detail": outcome.detail,
        "note": outcome.note,
        "findings": [{"line": finding.line, "text": finding.text} for finding in found],
    }
