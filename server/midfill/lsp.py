"""The language server: LSP types in and out, nothing else.

Ghost text (`textDocument/inlineCompletion`) is Midfill's first form. The popup (`textDocument/completion`) is for
clients without it; a client that has both gets a popup item only when it asks outright and no ghost text is being made,
so that typing neither shows one suggestion twice nor makes the two forms supersede each other.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar, cast

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInternalError, JsonRpcInvalidParams, JsonRpcMethodNotFound
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from midfill import __version__, config, items, notebooks, statistics
from midfill.completer import make_completer
from midfill.completion import Request
from midfill.documents import Document
from midfill.errors import MidfillError
from midfill.journal import Entry
from midfill.load_progress import LoadProgress
from midfill.logs import PublicText, describe
from midfill.notebooks import Whole
from midfill.protocol import BoundedInput, MidfillProtocol
from midfill.session import CompleterFactory, Session
from midfill.workspace.index import IndexState

if TYPE_CHECKING:
    from pygls.server import ServerErrors

Params = TypeVar("Params")
Result = TypeVar("Result")

_ALTERNATIVES = 3
"""Suggestions for somebody who asks outright: enough to choose from, few enough to wait for."""
_INDEX_SHOWN_AFTER = 1.0
"""Seconds of indexing after which that is worth showing."""
# As Copilot's language server calls them; editors' plug-ins know these.
_DID_SHOW = "textDocument/didShowCompletion"
_DID_PARTIALLY_ACCEPT = "textDocument/didPartiallyAcceptCompletion"
_log = logging.getLogger(__name__)


class MidfillServer(LanguageServer):
    """The server of one client: its protocol, its session, and how much ghost text is being made right now."""

    protocol: MidfillProtocol

    def __init__(self, make_completer: CompleterFactory) -> None:
        super().__init__("midfill", __version__, protocol_cls=MidfillProtocol, notebook_document_sync=notebooks.SYNC)
        self.make_completer = make_completer
        self.session: Session | None = None
        self.ghost_texts_in_progress = 0
        self.last_offsets: dict[str, int] = {}
        """Where each document was last edited or completed, as far as is known."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loading: asyncio.Task[None] | None = None
        self._indexing: asyncio.Task[None] | None = None
        self._index_state = IndexState(done=True)

    @property
    def client_has_ghost_text(self) -> bool:
        """Whether the client can ask for inline completion."""
        text_document = self.client_capabilities.text_document
        return text_document is not None and text_document.inline_completion is not None

    @property
    def folders(self) -> list[Path]:
        """The workspace's folders that are on this machine's disk."""
        workspace = self.protocol.workspace
        uris = list(workspace.folders) or ([workspace.root_uri] if workspace.root_uri else [])
        return [Path(path) for uri in uris if uri.startswith("file:") and (path := to_fs_path(uri))]

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

    def warn(self, problems: Sequence[str]) -> None:
        """Show the user what is wrong with the settings, a line each."""
        for problem in problems:
            self.show(types.MessageType.Warning, problem)

    def current_text(self, path: str) -> str | None:
        """Return an open document's text."""
        return next((document.text for uri, document in self.protocol.documents.items() if _path(uri) == path), None)

    def wake(self) -> None:
        """Load the model, or load it again after it was let go, and show that; nothing if that is done or under way."""
        if self.session is not None:
            progress = LoadProgress(self, "loading the model")
            loading = self.session.load(progress.report)
            if loading is not None:
                self._loading = asyncio.create_task(_show_loading(self, progress, loading))

    def watch_index(self) -> None:
        """Show how far the workspace's index is, from now on."""
        self._loop = asyncio.get_running_loop()

    def index_progress(self, state: IndexState) -> None:
        """Take how far the index is; from any thread."""
        self._index_state = state
        if self._loop is not None and not state.done:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the client has left meanwhile
                self._loop.call_soon_threadsafe(self._show_index)

    def _show_index(self) -> None:
        if self._indexing is None or self._indexing.done():
            self._indexing = asyncio.create_task(self._follow_index())

    async def _follow_index(self) -> None:
        await asyncio.sleep(_INDEX_SHOWN_AFTER)
        if self._index_state.done:
            return
        async with LoadProgress(self, "reading the workspace") as progress:
            while not (state := self._index_state).done:
                progress.report(f"{state.files:,} files read", state.fraction)
                await asyncio.sleep(_INDEX_SHOWN_AFTER)

    def close(self) -> None:
        """Stop the model, its thread and the index."""
        if self.session is not None:
            self.session.close()


def create_server(make_completer: CompleterFactory = make_completer) -> MidfillServer:
    """Build a server that is ready to be started; the factory makes its completer once the settings are known."""
    server = MidfillServer(make_completer)
    server.feature(types.INITIALIZE)(initialize)
    server.feature(types.INITIALIZED)(initialized)
    server.feature(types.TEXT_DOCUMENT_DID_OPEN)(opened)
    server.feature(types.TEXT_DOCUMENT_DID_CHANGE)(changed)
    server.feature(types.TEXT_DOCUMENT_DID_SAVE, types.SaveOptions(include_text=False))(saved)
    server.feature(types.TEXT_DOCUMENT_DID_CLOSE)(closed)
    server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)(configuration_changed)
    server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)(files_changed)
    server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)(folders_changed)
    # Without options of its own pygls does not tell the client of this one.
    server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())(inline_completion)
    server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions())(completion)
    server.feature(_DID_SHOW)(did_show)
    server.feature(_DID_PARTIALLY_ACCEPT)(did_partially_accept)
    server.command(items.ACCEPTED)(accepted)
    server.command("midfill.why")(why)
    server.command("midfill.statistics")(show_statistics)
    return server


def serve_stdio(make_completer: CompleterFactory = make_completer) -> int:
    """Serve the client at stdin and stdout until it leaves; return the exit code."""
    stdin = cast("BinaryIO", BoundedInput(sys.stdin.buffer))
    stdout = os.fdopen(os.dup(sys.stdout.fileno()), "wb")  # pygls closes what it writes to; sys.stdout is not ours
    return _serve(create_server(make_completer), lambda server: server.start_io(stdin, stdout))


def serve_tcp(host: str, port: int, make_completer: CompleterFactory = make_completer) -> int:
    """Serve one client that connects to a port, until it leaves; return the exit code."""
    return _serve(create_server(make_completer), lambda server: server.start_tcp(host, port))


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
    server.session = Session(
        server.make_completer, server.folders, params.initialization_options, server.current_text, server.index_progress
    )


def initialized(server: MidfillServer, _params: types.InitializedParams) -> None:
    """Load the model and index the workspace in the background; requests wait for the first, and not for the second."""
    if server.session is None:
        return
    server.warn(server.session.problems)
    server.watch_index()
    server.session.begin()
    server.wake()
    _watch_files(server)


def opened(server: MidfillServer, params: types.DidOpenTextDocumentParams) -> None:
    """Expect a request where the document was last worked on, or at its start."""
    _prepare(server, params.text_document.uri, visit=True)


def changed(server: MidfillServer, params: types.DidChangeTextDocumentParams) -> None:
    """Expect a request where the last edit ended."""
    uri = params.text_document.uri
    document = server.protocol.documents.get(uri)
    change = params.content_changes[-1] if params.content_changes else None
    if document is not None and isinstance(change, types.TextDocumentContentChangePartial):
        inserted = change.text.replace("\r\n", "\n")
        start = document.offset_at(change.range.start)
        server.last_offsets[uri] = start + len(inserted)
        if server.session is not None and len(params.content_changes) == 1:
            whole = server.protocol.notebooks.whole(uri, document, server.protocol.documents)
            server.session.inserted(_path(whole.uri), whole.start + start, inserted)
    _prepare(server, uri)


def saved(server: MidfillServer, params: types.DidSaveTextDocumentParams) -> None:
    """Read the file anew for the index."""
    if server.session is not None:
        server.warn(server.session.files_changed([_path(params.text_document.uri)]))


def closed(server: MidfillServer, params: types.DidCloseTextDocumentParams) -> None:
    """Use what was read of the document no more."""
    if server.session is not None:
        server.session.closed(_path(params.text_document.uri))


def configuration_changed(server: MidfillServer, params: types.DidChangeConfigurationParams) -> None:
    """Go by what the user has set anew."""
    if server.session is not None:
        server.warn(server.session.settings_changed(_plain(params.settings)))
        server.wake()


def files_changed(server: MidfillServer, params: types.DidChangeWatchedFilesParams) -> None:
    """Read changed files anew: sources for the index, and settings."""
    if server.session is not None:
        server.warn(server.session.files_changed(_path(event.uri) for event in params.changes))


def folders_changed(server: MidfillServer, _params: types.DidChangeWorkspaceFoldersParams) -> None:
    """Work in other folders."""
    if server.session is not None:
        server.warn(server.session.folders_changed(server.folders))


def did_show(_server: MidfillServer, _params: object) -> None:
    """Know that an item is shown; every item that is sent counts as that."""


def did_partially_accept(server: MidfillServer, params: object) -> None:
    """Count a part of an item that was accepted; its length comes in UTF-16 units."""
    number = _number_of(getattr(params, "item", None))
    length = getattr(params, "acceptedLength", None)
    if server.session is not None and number is not None and isinstance(length, int):
        server.session.partly_accepted(number, length)


def accepted(server: MidfillServer, number: int, length: int) -> None:
    """Count an item that was accepted."""
    if server.session is not None:
        server.session.accepted(number, length)


def why(server: MidfillServer, *last: object) -> str:  # pygls does not use the default of an argument left out
    """Return a Markdown page on the ``last`` requests, by default one: what came of them, and the exact prompt."""
    count = last[0] if last and isinstance(last[0], int) else 1
    return server.session.why(max(count, 1)) if server.session is not None else ""


def show_statistics(server: MidfillServer, *_nothing: object) -> str:
    """Return what became of suggestions on this machine, as text."""
    if server.session is not None:
        server.session.save_statistics()
    return statistics.to_text(statistics.summary())


def _number_of(item: object) -> int | None:
    """Return the number of the suggestion that an item, as the client sends it back, was made of."""
    arguments = getattr(getattr(item, "command", None), "arguments", None)
    number = arguments[0] if isinstance(arguments, (list, tuple)) and arguments else None
    return number if isinstance(number, int) else None


def _watch_files(server: MidfillServer) -> None:
    """Have the client tell of files that change on disk, if it offers to."""
    workspace = server.client_capabilities.workspace
    watching = workspace.did_change_watched_files if workspace else None
    if watching is None or not watching.dynamic_registration:
        return
    watchers = [types.FileSystemWatcher(glob_pattern="**/*")]
    if watching.relative_pattern_support:  # the user's own settings are elsewhere
        own = config.user_file()
        pattern = types.RelativePattern(base_uri=own.parent.as_uri(), pattern=own.name)
        watchers.append(types.FileSystemWatcher(glob_pattern=pattern))
    options = types.DidChangeWatchedFilesRegistrationOptions(watchers=watchers)
    registration = types.Registration(
        id="midfill-files", method=types.WORKSPACE_DID_CHANGE_WATCHED_FILES, register_options=options
    )
    server.client_register_capability(types.RegistrationParams(registrations=[registration]))


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
    outright = params.context.trigger_kind == types.InlineCompletionTriggerKind.Invoked
    selected = params.context.selected_completion_info
    try:
        if selected:
            found = await _ghost_texts_after(server, uri, document, selected, outright)
        else:
            entry = await _complete(server, uri, document, document.offset_at(params.position), outright)
            found = items.ghost_texts(document, entry.completion, entry.verdict.number, asked_outright=outright)
    finally:
        server.ghost_texts_in_progress -= 1
    return types.InlineCompletionList(items=found)


@text_free
async def completion(server: MidfillServer, params: types.CompletionParams) -> types.CompletionList:
    """Suggest one item for the popup, to be asked for again as the user types on."""
    nothing = types.CompletionList(is_incomplete=True, items=[])
    uri = params.text_document.uri
    document = server.protocol.documents.get(uri)
    if document is None or (server.client_has_ghost_text and not _is_asked_for_outright(server, params)):
        return nothing
    offset = document.offset_at(params.position)
    entry = await _complete(server, uri, document, offset, outright=False)
    if not entry.completion.text.strip():
        return nothing
    item = items.popup_item(document, offset, entry.completion, entry.verdict.number)
    return types.CompletionList(is_incomplete=True, items=[item])


async def _ghost_texts_after(
    server: MidfillServer, uri: str, document: Document, selected: types.SelectedCompletionInfo, outright: bool
) -> list[types.InlineCompletionItem]:
    """Suggest what follows the popup's selected item: the document is completed as it would be with that inserted."""
    preview = document.changed(types.TextDocumentContentChangePartial(range=selected.range, text=selected.text))
    offset = len(preview.text) - (len(document.text) - document.offset_at(selected.range.end))
    entry = await _complete(server, uri, preview, offset, outright)
    return items.ghost_texts_after(entry.completion, selected, offset, entry.verdict.number)


def _is_asked_for_outright(server: MidfillServer, params: types.CompletionParams) -> bool:
    kind = params.context.trigger_kind if params.context else types.CompletionTriggerKind.Invoked
    return kind == types.CompletionTriggerKind.Invoked and not server.ghost_texts_in_progress


async def _complete(server: MidfillServer, uri: str, document: Document, offset: int, outright: bool) -> Entry:
    """Complete a document, as part of its notebook if it is a cell of one; offsets are the document's."""
    assert server.session is not None  # noqa: S101 -- no request comes before `initialize`, see the protocol
    server.last_offsets[uri] = offset
    server.wake()
    whole = server.protocol.notebooks.whole(uri, document, server.protocol.documents)
    entry = await server.session.complete(_request(whole, document, offset, outright))
    completion = entry.completion
    return dataclasses.replace(
        entry,
        completion=dataclasses.replace(
            completion, start=completion.start - whole.start, end=completion.end - whole.start
        ),
    )


def _prepare(server: MidfillServer, uri: str, *, visit: bool = False) -> None:
    """Have the model there, and its prompt computed ahead, when a request comes."""
    document = server.protocol.documents.get(uri)
    if server.session is not None and document is not None:
        server.wake()
        whole = server.protocol.notebooks.whole(uri, document, server.protocol.documents)
        expected = _request(whole, document, server.last_offsets.get(uri, 0), outright=False)
        server.session.expect(expected, visit=visit)


def _request(whole: Whole, document: Document, offset: int, outright: bool) -> Request:
    return Request(
        text=whole.text,
        offset=whole.start + offset,
        path=_path(whole.uri),
        language=document.language,
        automatic=not outright,
        alternatives=_ALTERNATIVES if outright else 1,
    )


def _plain(settings: object) -> object:
    """Return settings as JSON has them: pygls makes objects with attributes of unknown ones."""
    if isinstance(settings, (list, tuple)) and not hasattr(settings, "_asdict"):
        return [_plain(value) for value in settings]
    if hasattr(settings, "_asdict"):
        return {name: _plain(value) for name, value in settings._asdict().items()}
    if isinstance(settings, dict):
        return {name: _plain(value) for name, value in settings.items()}
    return settings


def _path(uri: str) -> str:
    return to_fs_path(uri) or uri


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
