"""Code actions over LSP: they are offered at once, and done when the user chooses one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams

from midfill.actions import ActionReason
from midfill.actions.action import Gives
from midfill.actions.ask import ASK
from midfill.actions.checked_edit import Edit
from midfill.code.source_files import read_text
from midfill.common.cancel import CancelFlag
from midfill.lsp.capabilities import ActionClient
from midfill.lsp.code_actions import Wanted, offers
from midfill.lsp.progress import WorkProgress
from midfill.lsp.server import MidfillServer, text_free
from midfill.lsp.text_document import Document
from midfill.lsp.workspace_edits import workspace_edit
from midfill.session.action_service import AcceptedRequest, ActionReply, ActionRequest, ActionService

ASK_COMMAND = "midfill.ask"
CLEAR_FINDINGS = "midfill.clearFindings"
_PROGRESS_SECONDS = 0.1
"""Minimum number of seconds between two reports of progress. Nobody can read more of them."""
_MESSAGE_TYPES = {
    None: types.MessageType.Info,
    ActionReason.NO_ANSWER: types.MessageType.Info,
    ActionReason.FAILED: types.MessageType.Error,
}
"""How the message of a reply with this reason is shown; all others are warnings."""


@text_free
async def code_action(server: MidfillServer, params: types.CodeActionParams) -> list[types.CodeAction | types.Command]:
    """Return the titles of the actions that are offered; nothing is computed before one is chosen."""
    document = server.open_documents().get(params.text_document.uri)
    if document is None:
        return []
    cancel = CancelFlag()
    try:
        return await asyncio.to_thread(offers, document, params, ActionClient.of(server.client_capabilities), cancel)
    except asyncio.CancelledError:
        cancel.set("cancelled")
        raise


@text_free
async def resolve(server: MidfillServer, action: types.CodeAction) -> types.CodeAction:
    """Do an action and add its edit. If there is none, the action stays as it is, and the user is told why."""
    if action.data is None:  # an action with a command
        return action
    reply = await _do(server, Wanted.read(action.data).request(), action.title)
    if reply.edit is not None:
        action.edit = _workspace_edit(server, reply, reply.edit, action.title)
    return action


@text_free
async def do(server: MidfillServer, params: types.ExecuteCommandParams) -> dict[str, Any]:
    """Do an action: apply its edit, show its text, publish its findings; return all of this as JSON too."""
    return await _do_and_apply(server, Wanted.read(_only_argument(params)).request(), params.work_done_token)


@text_free
async def ask(server: MidfillServer, params: types.ExecuteCommandParams) -> dict[str, Any]:
    """Ask about some lines, or continue the conversation of the last answer: ``{text, uri?, range?}``."""
    argument = _only_argument(params)
    if not isinstance(argument, Mapping) or not isinstance(argument.get("text"), str) or not argument["text"].strip():
        raise JsonRpcInvalidParams(f"{params.command} takes one object: {{text, uri?, range?}}")
    wanted = Wanted.read({**argument, "action": ASK.name, "instruction": argument["text"]})
    return await _do_and_apply(server, wanted.request(continues=not wanted.uri), params.work_done_token)


def clear_findings(server: MidfillServer, _params: types.ExecuteCommandParams) -> None:
    """Remove the findings of all documents."""
    findings = _service(server).findings
    for uri in findings.documents:
        findings.forget(uri)
        server.publish_findings(uri)


def hover(server: MidfillServer, params: types.HoverParams) -> types.Hover | None:
    """Return the last text, if it is about this line."""
    text = _service(server).answer_at(params.text_document.uri, params.position.line)
    if text is None:
        return None
    text_document = server.client_capabilities.text_document
    formats = text_document.hover.content_format if text_document and text_document.hover else None
    kind = types.MarkupKind.Markdown
    if formats and kind not in formats:
        kind = types.MarkupKind.PlainText
    return types.Hover(types.MarkupContent(kind, text))


def text_content(server: MidfillServer, params: types.TextDocumentContentParams) -> types.TextDocumentContentResult:
    """Return the text of one of Midfill's own documents."""
    return types.TextDocumentContentResult(server.texts.text(params.uri))


def _service(server: MidfillServer) -> ActionService:
    assert server.session is not None  # noqa: S101 -- no request comes before `initialize`, see the protocol
    return server.session.actions


async def _do_and_apply(
    server: MidfillServer, request: ActionRequest, token: types.ProgressToken | None
) -> dict[str, Any]:
    reply = await _do(server, request, request.action.title, token)
    applied = reply.edit is not None and await _apply(server, reply, reply.edit, request.action.title)
    return {
        "text": reply.text,
        "applied": applied,
        "reason": reply.reason or "",
        "detail": reply.detail,
        "note": reply.note,
        "findings": [{"line": finding.line, "text": finding.text} for finding in reply.findings],
    }


async def _do(
    server: MidfillServer, request: ActionRequest, title: str, token: types.ProgressToken | None = None
) -> ActionReply:
    """Do an action, and show what a person is to read about it."""
    request = replace(request, uri=server.protocol.documents.uri(request.uri))
    accepted = _service(server).accept(request)
    reply = accepted if isinstance(accepted, ActionReply) else await _perform(server, accepted, title, token)
    if reply.findings_kept:
        server.publish_findings(reply.uri)
    if reply.message:
        server.show(_MESSAGE_TYPES.get(reply.reason, types.MessageType.Warning), reply.message)
    return reply


async def _perform(
    server: MidfillServer, accepted: AcceptedRequest, title: str, token: types.ProgressToken | None
) -> ActionReply:
    """Perform a request; show its progress, and its text as it comes."""
    cancel = CancelFlag()
    server.wake()
    text = None if accepted.action.gives is Gives.EDIT else server.texts.begin(server.text_channel, title)
    progress = WorkProgress(
        server, title, token=token, on_cancel=lambda: cancel.set("cancelled"), every=_PROGRESS_SECONDS
    )
    try:
        async with progress:
            reply = await _service(server).perform(
                accepted, cancel, on_text=text.write if text else lambda _: None, on_progress=progress.report
            )
    finally:
        if text:
            text.end()
    if text and reply.text and reply.gives is Gives.TEXT:
        note = f"\n\n_{reply.note}_" if reply.note else ""
        await text.show(f"{reply.text}{note}")
    return reply


async def _apply(server: MidfillServer, reply: ActionReply, edit: Edit, title: str) -> bool:
    """Let the client apply an edit; return whether it did."""
    workspace = server.client_capabilities.workspace
    if workspace is None or not workspace.apply_edit:
        server.show(types.MessageType.Warning, "Midfill edited nothing: this editor takes no edits from a server.")
        return False
    params = types.ApplyWorkspaceEditParams(_workspace_edit(server, reply, edit, title), label=title)
    try:
        result = await server.workspace_apply_edit_async(params)
    except JsonRpcException:
        return False
    if not result.applied:
        server.show(types.MessageType.Info, "The editor applied nothing of Midfill's edit.")
    return bool(result.applied)


def _workspace_edit(server: MidfillServer, reply: ActionReply, edit: Edit, label: str) -> types.WorkspaceEdit:
    """Return an edit of the document that the request was about, or of another file."""
    document = server.protocol.documents[reply.uri]
    if not edit.path:
        return workspace_edit(edit, document, reply.uri, label, server.client_capabilities)
    uri, other = server.open_document(edit.path)
    if other is not None:
        return workspace_edit(edit, other, uri, label, server.client_capabilities)
    path = Path(edit.path)
    other = Document(read_text(path) or "", language=document.language, encoding=document.encoding)
    return workspace_edit(edit, other, uri, label, server.client_capabilities, is_new=not os.path.exists(path))


def _only_argument(params: types.ExecuteCommandParams) -> object:
    arguments = params.arguments or ()
    if len(arguments) != 1:
        raise JsonRpcInvalidParams(f"{params.command} takes one object")
    return arguments[0]
