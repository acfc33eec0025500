"""The language server: LSP types in and out, nothing else.

Ghost text (`textDocument/inlineCompletion`) is Midfill's first form. The popup (`textDocument/completion`) is for
clients without it; a client that has both gets a popup item only when it asks outright and no ghost text is being made,
so that typing neither shows one suggestion twice nor makes the two forms supersede each other.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import re
import signal
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, BinaryIO, TypeVar, cast

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInternalError, JsonRpcInvalidParams, JsonRpcMethodNotFound
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from midfill import __version__
from midfill.completer import Completer, engine_loader
from midfill.completion import Completion, Request
from midfill.documents import Document
from midfill.errors import MidfillError
from midfill.load_progress import LoadProgress
from midfill.logs import PublicText, describe
from midfill.protocol import BoundedInput, MidfillProtocol
from midfill.settings import Settings, parse_settings

if TYPE_CHECKING:
    from pygls.server import ServerErrors

CompleterFactory = Callable[[Settings], Completer]
Params = TypeVar("Params")
Result = TypeVar("Result")

_ALTERNATIVES = 3
"""Suggestions for somebody who asks outright: enough to choose from, few enough to wait for."""
_LABEL_LENGTH = 60
_WORD_BEFORE_CURSOR = re.compile(r"\w*\Z")
_log = logging.getLogger(__name__)


class MidfillServer(LanguageServer):
    """The server of one client: its protocol, its completer, and how much ghost text is being made right now."""

    protocol: MidfillProtocol

    def __init__(self, completer_factory: CompleterFactory) -> None:
        super().__init__("midfill", __version__, protocol_cls=MidfillProtocol)
        self.completer_factory = completer_factory
        self.completer: Completer | None = None
        self.setting_problems: list[str] = []
        self.ghost_texts_in_progress = 0
        self.last_offsets: dict[str, int] = {}
        """Where each document was last edited or completed, as far as is known."""
        self._loading: asyncio.Task[None] | None = None

    @property
    def client_has_ghost_text(self) -> bool:
        """Whether the client can ask for inline completion."""
        text_document = self.client_capabilities.text_document
        return text_document is not None and text_document.inline_completion is not None

    def report_server_error(self, error: Exception, source: ServerErrors) -> None:
        """Log a failure in one line without text; pygls would show its message, which may quote a document."""
        theirs = source is JsonRpcException or isinstance(error, (JsonRpcInvalidParams, JsonRpcMethodNotFound))
        _log.log(
            logging.WARNING if theirs else logging.ERROR,
            "A message of the client's could not be handled: %s" if theirs else "Midfill failed: %s",
            error,
        )

    def show(self, kind: types.MessageType, message: str) -> None:
        """Show the user one line."""
        self.window_show_message(types.ShowMessageParams(type=kind, message=message))

    def wake(self) -> None:
        """Load the model, or load it again after it was let go, and show that; nothing if that is done or under way."""
        if self.completer is not None and self.completer.state == "idle":
            progress = LoadProgress(self)
            loading = self.completer.start(progress.report)
            self._loading = asyncio.create_task(_show_loading(self, progress, loading))

    def close(self) -> None:
        """Stop the model and its thread."""
        if self.completer:
            self.completer.close()


def create_server(completer_factory: CompleterFactory | None = None) -> MidfillServer:
    """Build a server that is ready to be started; the factory makes its completer once the settings are known."""
    server = MidfillServer(completer_factory or _default_completer)
    server.feature(types.INITIALIZE)(initialize)
    server.feature(types.INITIALIZED)(initialized)
    server.feature(types.TEXT_DOCUMENT_DID_OPEN)(opened)
    server.feature(types.TEXT_DOCUMENT_DID_CHANGE)(changed)
    server.feature(types.TEXT_DOCUMENT_DID_CLOSE)(closed)
    # Without options of its own pygls does not tell the client of this one.
    server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())(inline_completion)
    server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions())(completion)
    return server


def serve_stdio(completer_factory: CompleterFactory | None = None) -> int:
    """Serve the client at stdin and stdout until it leaves; return the exit code."""
    stdin = cast("BinaryIO", BoundedInput(sys.stdin.buffer))
    stdout = os.fdopen(os.dup(sys.stdout.fileno()), "wb")  # pygls closes what it writes to; sys.stdout is not ours
    return _serve(create_server(completer_factory), lambda server: server.start_io(stdin, stdout))


def serve_tcp(host: str, port: int, completer_factory: CompleterFactory | None = None) -> int:
    """Serve one client that connects to a port, until it leaves; return the exit code."""
    return _serve(create_server(completer_factory), lambda server: server.start_tcp(host, port))


def text_free(handler: Callable[[MidfillServer, Params], Awaitable[Result]]) -> Callable[..., Awaitable[Result]]:
    """Answer a crash of the handler with an error that quotes nothing; pygls would send the exception's message."""

    @functools.wraps(handler)
    async def guarded(server: MidfillServer, params: Params) -> Result:
        try:
            return await handler(server, params)
        except Exception as error:
            raise JsonRpcInternalError(f"Midfill failed: {describe(error)}") from error

    return guarded


def initialize(server: MidfillServer, params: types.InitializeParams) -> None:
    """Read the settings; pygls answers with the capabilities."""
    settings, server.setting_problems = parse_settings(params.initialization_options)
    server.completer = server.completer_factory(settings)


def initialized(server: MidfillServer, _params: types.InitializedParams) -> None:
    """Load the model in the background; requests wait for it, and are empty if that fails."""
    for problem in server.setting_problems:
        server.show(types.MessageType.Warning, problem)
    server.wake()


def opened(server: MidfillServer, params: types.DidOpenTextDocumentParams) -> None:
    """Expect a request where the document was last worked on, or at its start."""
    _prepare(server, params.text_document.uri)


def changed(server: MidfillServer, params: types.DidChangeTextDocumentParams) -> None:
    """Expect a request where the last edit ended."""
    uri = params.text_document.uri
    document = server.protocol.documents.get(uri)
    change = params.content_changes[-1] if params.content_changes else None
    if document is not None and isinstance(change, types.TextDocumentContentChangePartial):
        inserted = change.text.replace("\r\n", "\n")
        server.last_offsets[uri] = document.offset_at(change.range.start) + len(inserted)
    _prepare(server, uri)


def closed(server: MidfillServer, params: types.DidCloseTextDocumentParams) -> None:
    """Use what was read of the document no more."""
    if server.completer is not None:
        server.completer.forget(_path(params.text_document.uri))


async def _show_loading(server: MidfillServer, progress: LoadProgress, loading: Future[None]) -> None:
    """Show the progress of loading, and in one line why it failed."""
    async with progress:
        try:
            await asyncio.wrap_future(loading)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # a panic within the tokenizer is no Exception
            message = str(error) if isinstance(error, MidfillError) else f"Midfill cannot load: {describe(error)}"
            _log.error("%s", PublicText(message))
            server.show(types.MessageType.Error, message)


@text_free
async def inline_completion(server: MidfillServer, params: types.InlineCompletionParams) -> types.InlineCompletionList:
    """Suggest ghost text, with alternatives if it is asked for outright, as editors let users leaf through them.

    Nothing to suggest is an empty list, for Neovim keeps stale ghost text on null.
    """
    uri = params.text_document.uri
    document = server.protocol.documents.get(uri)
    if document is None:
        return types.InlineCompletionList(items=[])
    server.ghost_texts_in_progress += 1
    automatic = params.context.trigger_kind != types.InlineCompletionTriggerKind.Invoked
    try:
        selected = params.context.selected_completion_info
        if selected:
            items = await _ghost_texts_after(server, uri, document, selected, automatic)
        else:
            items = await _ghost_texts(server, uri, document, document.offset_at(params.position), automatic)
    finally:
        server.ghost_texts_in_progress -= 1
    return types.InlineCompletionList(items=items)


@text_free
async def completion(server: MidfillServer, params: types.CompletionParams) -> types.CompletionList:
    """Suggest one item for the popup, to be asked for again as the user types on."""
    nothing = types.CompletionList(is_incomplete=True, items=[])
    uri = params.text_document.uri
    document = server.protocol.documents.get(uri)
    if document is None or (server.client_has_ghost_text and not _is_asked_for_outright(server, params)):
        return nothing
    offset = document.offset_at(params.position)
    suggestion = await _complete(server, uri, document, offset)
    if not suggestion.text.strip():
        return nothing
    return types.CompletionList(is_incomplete=True, items=[_popup_item(document, offset, suggestion)])


async def _ghost_texts(
    server: MidfillServer, uri: str, document: Document, offset: int, automatic: bool
) -> list[types.InlineCompletionItem]:
    suggestion = await _complete(server, uri, document, offset, automatic)
    where = document.range_between(suggestion.start, suggestion.end)
    return [types.InlineCompletionItem(insert_text=text, range=where) for text in _texts(suggestion)]


async def _ghost_texts_after(
    server: MidfillServer, uri: str, document: Document, selected: types.SelectedCompletionInfo, automatic: bool
) -> list[types.InlineCompletionItem]:
    """Suggest what follows the popup's selected item: the document is completed as it would be with that inserted.

    The client shows only items that keep the selected item's range and begin with its text.
    """
    preview = document.changed(types.TextDocumentContentChangePartial(range=selected.range, text=selected.text))
    offset = len(preview.text) - (len(document.text) - document.offset_at(selected.range.end))
    suggestion = await _complete(server, uri, preview, offset, automatic)
    if not suggestion.start == suggestion.end == offset:
        return []
    return [
        types.InlineCompletionItem(insert_text=selected.text + text, range=selected.range)
        for text in _texts(suggestion)
    ]


def _texts(suggestion: Completion) -> list[str]:
    """Return all texts of a suggestion, the best first; none when there is nothing to suggest."""
    return [text for text in (suggestion.text, *(other.text for other in suggestion.alternatives)) if text]


def _is_asked_for_outright(server: MidfillServer, params: types.CompletionParams) -> bool:
    kind = params.context.trigger_kind if params.context else types.CompletionTriggerKind.Invoked
    return kind == types.CompletionTriggerKind.Invoked and not server.ghost_texts_in_progress


def _popup_item(document: Document, offset: int, suggestion: Completion) -> types.CompletionItem:
    """Make an item that replaces the word before the cursor too: clients drop items that do not begin with it."""
    word = cast("re.Match[str]", _WORD_BEFORE_CURSOR.search(document.text, 0, offset))
    start = min(word.start(), suggestion.start)
    text = document.text[start : suggestion.start] + suggestion.text
    first_line = text.strip().partition("\n")[0]
    shortened = first_line if len(first_line) <= _LABEL_LENGTH else first_line[: _LABEL_LENGTH - 1] + "…"
    return types.CompletionItem(
        label=shortened,
        kind=types.CompletionItemKind.Snippet,
        detail="Midfill",
        filter_text=first_line,
        sort_text="~",  # after what other servers know for certain
        preselect=False,
        insert_text_format=types.InsertTextFormat.PlainText,
        text_edit=types.TextEdit(range=document.range_between(start, suggestion.end), new_text=text),
    )


async def _complete(
    server: MidfillServer, uri: str, document: Document, offset: int, automatic: bool = True
) -> Completion:
    if server.completer is None:
        return Completion(text="", start=offset, end=offset, reason="loading")
    server.last_offsets[uri] = offset
    server.wake()
    return await server.completer.complete(_request(uri, document, offset, automatic))


def _prepare(server: MidfillServer, uri: str) -> None:
    """Have the model there, and its prompt computed ahead, when a request comes."""
    document = server.protocol.documents.get(uri)
    if server.completer is not None and document is not None:
        server.wake()
        server.completer.prepare(_request(uri, document, server.last_offsets.get(uri, 0)))


def _request(uri: str, document: Document, offset: int, automatic: bool = True) -> Request:
    return Request(
        text=document.text,
        offset=offset,
        path=_path(uri),
        language=document.language,
        automatic=automatic,
        alternatives=1 if automatic else _ALTERNATIVES,
    )


def _path(uri: str) -> str:
    return to_fs_path(uri) or uri


def _default_completer(settings: Settings) -> Completer:
    return Completer(
        engine_loader(settings),
        warm_up_after=settings.warm_up_ms / 1000,
        unload_after=settings.unload_minutes * 60,
    )


def _serve(server: MidfillServer, start: Callable[[MidfillServer], None]) -> int:
    # pygls waits for its thread that reads stdin, so that Ctrl-C would do nothing until another line arrives.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        start(server)
    except SystemExit:  # pygls' way out of TCP; over stdio it hides this and the exit code with it
        pass
    finally:
        server.close()
    return 0 if server.protocol.shutdown_requested else 1
