"""Suggestions over LSP, and what became of them.

Ghost text (`textDocument/inlineCompletion`) is the preferred form. The popup (`textDocument/completion`) is for clients
without it. A client that has both gets a popup item only for an invoked request while no ghost text is being generated.
Otherwise typing would show a suggestion twice, or a request of one form would supersede one of the other.
"""

from __future__ import annotations

import dataclasses
from typing import cast

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from midfill.completion.types import Request
from midfill.lsp import items
from midfill.lsp.notebooks import Whole
from midfill.lsp.server import MidfillServer, text_free
from midfill.lsp.text_document import Document
from midfill.outcomes import counters
from midfill.outcomes.journal import Entry

_ALTERNATIVES = 3
"""Number of suggestions for an invoked request: enough to choose from, and few enough to wait for."""


@text_free
async def inline_completion(server: MidfillServer, params: types.InlineCompletionParams) -> types.InlineCompletionList:
    """Suggest ghost text. An invoked request gets alternatives, which editors let users cycle through.

    Without a suggestion the list is empty: on null, Neovim keeps the old ghost text.
    """
    uri = params.text_document.uri
    document = server.protocol.documents.get(uri)
    if document is None:
        return types.InlineCompletionList(items=[])
    server.ghost_texts_in_progress += 1
    invoked = params.context.trigger_kind == types.InlineCompletionTriggerKind.Invoked
    selected = params.context.selected_completion_info
    try:
        if selected:
            found = await _ghost_texts_after(server, uri, document, selected, invoked)
        else:
            entry = await _complete(server, uri, document, document.offset_at(params.position), invoked)
            found = items.ghost_texts(document, entry.completion, entry.verdict.number, invoked=invoked)
    finally:
        server.ghost_texts_in_progress -= 1
    return types.InlineCompletionList(items=found)


@text_free
async def completion(server: MidfillServer, params: types.CompletionParams) -> types.CompletionList:
    """Suggest one item for the popup. The client asks again as the user types."""
    nothing = types.CompletionList(is_incomplete=True, items=[])
    uri = params.text_document.uri
    document = server.protocol.documents.get(uri)
    if document is None or (server.client_has_ghost_text and not _is_popup_invoked(server, params)):
        return nothing
    offset = document.offset_at(params.position)
    entry = await _complete(server, uri, document, offset, invoked=False)
    if not entry.completion.text.strip():
        return nothing
    item = items.popup_item(document, offset, entry.completion, entry.verdict.number)
    return types.CompletionList(is_incomplete=True, items=[item])


async def _ghost_texts_after(
    server: MidfillServer, uri: str, document: Document, selected: types.SelectedCompletionInfo, invoked: bool
) -> list[types.InlineCompletionItem]:
    """Suggest what follows the popup's selected item: complete the document with that item inserted."""
    preview = document.changed(types.TextDocumentContentChangePartial(range=selected.range, text=selected.text))
    offset = len(preview.text) - (len(document.text) - document.offset_at(selected.range.end))
    entry = await _complete(server, uri, preview, offset, invoked)
    return items.ghost_texts_after(entry.completion, selected, offset, entry.verdict.number)


def _is_popup_invoked(server: MidfillServer, params: types.CompletionParams) -> bool:
    kind = params.context.trigger_kind if params.context else types.CompletionTriggerKind.Invoked
    return kind == types.CompletionTriggerKind.Invoked and not server.ghost_texts_in_progress


async def _complete(server: MidfillServer, uri: str, document: Document, offset: int, invoked: bool) -> Entry:
    """Complete a document, as part of its notebook if it is a cell. Offsets are those of the document."""
    assert server.session is not None  # noqa: S101 -- no request comes before `initialize`, see the protocol
    server.last_offsets[server.protocol.documents.name(uri).path] = offset
    server.wake()
    whole = server.protocol.notebooks.whole(uri, document, offset, server.protocol.documents)
    entry = await server.session.complete(request_at(whole, offset, invoked))
    completion = entry.completion
    return dataclasses.replace(
        entry,
        completion=dataclasses.replace(
            completion, start=completion.start - whole.start, end=completion.end - whole.start
        ),
    )


def request_at(whole: Whole, offset: int, invoked: bool) -> Request:
    """Return the request for a suggestion at an offset of a document that is part of ``whole``."""
    return Request(
        text=whole.text,
        offset=whole.start + offset,
        path=whole.name.path,
        opened_as=whole.name.opened_as,
        language=whole.language,
        automatic=not invoked,
        alternatives=_ALTERNATIVES if invoked else 1,
    )


def did_show(_server: MidfillServer, _params: object) -> None:
    """Do nothing: every item that is sent counts as shown."""


def did_partially_accept(server: MidfillServer, params: object) -> None:
    """Count a part of an item that was accepted. Its length is in UTF-16 units."""
    number = _number_of(getattr(params, "item", None))
    length = getattr(params, "acceptedLength", None)
    if server.session is not None and number is not None and isinstance(length, int):
        server.session.partly_accepted(number, length)


def accepted(server: MidfillServer, params: types.ExecuteCommandParams) -> None:
    """Count an item that was accepted; the arguments are its number and its length."""
    arguments = list(params.arguments or ())
    if len(arguments) != 2 or not all(isinstance(argument, int) for argument in arguments):
        raise JsonRpcInvalidParams(f"{params.command} takes two numbers")
    number, length = cast("list[int]", arguments)
    if server.session is not None:
        server.session.accepted(number, length)


def why(server: MidfillServer, params: types.ExecuteCommandParams) -> str:
    """Return a Markdown page about the last requests, by default one: the result and the exact prompt of each."""
    last = params.arguments or (1,)
    count = last[0] if isinstance(last[0], int) else 1
    return server.session.why(max(count, 1)) if server.session is not None else ""


def show_statistics(server: MidfillServer, _params: types.ExecuteCommandParams) -> str:
    """Return the statistics of suggestions on this machine, as text."""
    if server.session is not None:
        server.session.save_statistics()
    return counters.to_text(counters.summary())


def _number_of(item: object) -> int | None:
    """Return the number of the suggestion in an item that the client sends back."""
    arguments = getattr(getattr(item, "command", None), "arguments", None)
    number = arguments[0] if isinstance(arguments, (list, tuple)) and arguments else None
    return number if isinstance(number, int) else None
