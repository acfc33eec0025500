"""The next edit over LSP. There is no standard; these are the messages of Copilot's language server.

The edits of an answer are alternatives to each other. Midfill has one at most: the whole change as one edit, with the
smallest parts of it and why it is at its place, for clients that draw them.
"""

from __future__ import annotations

from typing import Any, cast

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from midfill.lsp.server import MidfillServer, plain, text_free
from midfill.lsp.text_document import Document
from midfill.next_edit.new_diagnostics import Diagnostic
from midfill.session.edit_service import Offer

INLINE_EDIT = "textDocument/copilotInlineEdit"
DID_SHOW = "textDocument/didShowInlineEdit"
DID_FOCUS = "textDocument/didFocus"
ACCEPTED = "midfill.nextEditAccepted"
"""The command that a client runs after it has applied an edit: the edit's number."""
DISMISSED = "midfill.nextEditDismissed"
"""The command that a client runs when the user dismisses an edit: the edit's number."""
_INVOKED = 1
"""The protocol's ``triggerKind`` of a request that the user made."""


@text_free
async def inline_edit(server: MidfillServer, params: object) -> dict[str, Any]:
    """Predict the next edit. The list is empty if there is none, or if the client has another version of the document.

    Raises:
        JsonRpcInvalidParams: the params name no document or no position.
    """
    nothing: dict[str, Any] = {"edits": []}
    uri, version, position = _asked(params)
    name = server.protocol.documents.uri(uri)
    document = server.protocol.documents.get(name)
    if document is None or server.session is None or version not in (None, document.version):
        return nothing
    server.wake()
    context = _table(_table(plain(params)).get("context"))
    invoked = context.get("triggerKind") == _INVOKED
    offset = document.offset_at(position)
    line = document.text.count("\n", 0, offset)
    column = offset - (document.text.rfind("\n", 0, offset) + 1)
    offer = await server.session.next_edit(name, line, column, _diagnostics(context), invoked=invoked)
    edited = server.protocol.documents.get(offer.uri)
    if offer.edit is None or edited is None or edited.text != offer.text:
        return nothing
    return {"edits": [_item(offer, edited)]}


def did_show(server: MidfillServer, params: object) -> None:
    """Count an edit that the client shows."""
    item = _table(_table(plain(params)).get("item"))
    number = next(iter(_list(_table(item.get("command")).get("arguments"))), None)
    if server.session is not None and type(number) is int:
        server.session.edits.shown(number)


def did_focus(_server: MidfillServer, _params: object) -> None:
    """Do nothing: a request names its document."""


def accepted(server: MidfillServer, params: types.ExecuteCommandParams) -> None:
    """Count an edit that was applied; the argument is its number."""
    number = _number(params)
    if server.session is not None:
        server.session.edits.accepted(number)


def dismissed(server: MidfillServer, params: types.ExecuteCommandParams) -> None:
    """Offer an edit no more; the argument is its number."""
    number = _number(params)
    if server.session is not None:
        server.session.edits.dismissed(number)


def _number(params: types.ExecuteCommandParams) -> int:
    arguments = list(params.arguments or ())
    if len(arguments) != 1 or type(arguments[0]) is not int:
        raise JsonRpcInvalidParams(f"{params.command} takes a number")
    return arguments[0]


def _item(offer: Offer, document: Document) -> dict[str, Any]:
    edit = offer.edit
    assert edit is not None  # noqa: S101 -- the caller has asked
    return {
        "text": edit.text,
        "textDocument": {"uri": offer.uri, "version": document.version},
        "range": document.range_between(edit.start, edit.end),
        "command": {"title": "Midfill", "command": ACCEPTED, "arguments": [offer.number]},
        "why": str(offer.predicted.place.why),
        "changes": [
            {"range": document.range_between(part.start, part.end), "newText": part.text}
            for part in offer.predicted.edits
        ],
    }


def _asked(params: object) -> tuple[str, int | None, types.Position]:
    """Return the document, the client's version of it, and the position that a request names."""
    asked = _table(plain(params))
    document, position = _table(asked.get("textDocument")), _table(asked.get("position"))
    uri, version = document.get("uri"), document.get("version")
    line, character = position.get("line"), position.get("character")
    if not isinstance(uri, str) or not all(type(number) is int and number >= 0 for number in (line, character)):
        raise JsonRpcInvalidParams(f"{INLINE_EDIT} needs 'textDocument' with 'uri', and 'position'")
    return uri, version if type(version) is int else None, types.Position(cast("int", line), cast("int", character))


def _diagnostics(context: dict[str, Any]) -> list[Diagnostic]:
    """Return the diagnostics that a client knows of the document, as LSP has them; what is none is left out."""
    found: list[Diagnostic] = []
    for diagnostic in map(_table, _list(context.get("diagnostics"))):
        line = _table(_table(diagnostic.get("range")).get("start")).get("line")
        message = diagnostic.get("message")
        if type(line) is int and isinstance(message, str):
            found.append(Diagnostic(line, message))
    return found


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
