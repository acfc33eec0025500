"""The server of one client: what its handlers share, and what it shows by itself."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInternalError, JsonRpcInvalidParams, JsonRpcMethodNotFound
from pygls.lsp.server import LanguageServer

from midfill import __version__
from midfill.actions import Perform
from midfill.common.errors import MidfillError
from midfill.common.exit_deadline import exit_within
from midfill.common.logs import PublicText, describe
from midfill.common.process_end import wait_for_end
from midfill.lsp import notebooks
from midfill.lsp.client_input import ClientInput
from midfill.lsp.client_output import ClientOutput
from midfill.lsp.diagnostics import diagnostics_of
from midfill.lsp.progress import WorkProgress
from midfill.lsp.protocol import MidfillProtocol, new_converter
from midfill.lsp.streamed_text import StreamedTexts, TextChannel, registration
from midfill.lsp.text_document import Document
from midfill.retrieval.index import IndexState
from midfill.session.session import SchedulerFactory, Session
from midfill.session.snapshots import DocumentSnapshot

if TYPE_CHECKING:
    from pygls.server import ServerErrors

Params = TypeVar("Params")
Result = TypeVar("Result")

_CLOSING_SECONDS = 1.5
"""Seconds to close in good order after the client has left. Then the process ends, whatever its threads do."""
_INDEX_SHOWN_AFTER = 1.0
"""Number of seconds of indexing before its progress is shown, and between two reports."""
_log = logging.getLogger(__name__)


class MidfillServer(LanguageServer):
    """The server of one client."""

    protocol: MidfillProtocol

    def __init__(self, make_scheduler: SchedulerFactory, perform: Perform) -> None:
        super().__init__(
            "midfill",
            __version__,
            protocol_cls=MidfillProtocol,
            converter_factory=new_converter,
            notebook_document_sync=notebooks.SYNC,
        )
        self.make_scheduler = make_scheduler
        self.perform = perform
        self.session: Session | None = None
        self.ghost_texts_in_progress = 0
        """Number of requests for ghost text that are being answered."""
        self.texts = StreamedTexts()
        self.last_offsets: dict[str, int] = {}
        """Where each document was last edited or completed, by path; a document without such a place is not in it."""
        self._input: ClientInput | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loading: asyncio.Task[None] | None = None
        self._indexing: asyncio.Task[None] | None = None
        self._index_state = IndexState(done=True)

    @property
    def client_has_ghost_text(self) -> bool:
        """Whether the client can ask for inline completion."""
        text_document = self.client_capabilities.text_document
        return text_document is not None and text_document.inline_completion is not None

    def serve(self, descriptor: int, output: BinaryIO) -> int:
        """Serve one client until it leaves; return the exit code. Afterwards this process ends within seconds.

        Args:
            descriptor: the client's messages, as the system numbers the input.
            output: where the answers go.
        """
        self.protocol.set_writer(ClientOutput(output))
        try:
            asyncio.run(self._follow(descriptor))
        except SystemExit:  # the client has sent `exit`
            pass
        finally:
            self.close()
        return self._exit_code()

    async def _follow(self, descriptor: int) -> None:
        self._input = ClientInput(descriptor, lambda: exit_within(_CLOSING_SECONDS, self._exit_code))
        try:
            async for body in self._input.messages():
                self.protocol.receive(body)
                await asyncio.sleep(0)  # what the message has begun goes first
        finally:
            self._input.end()

    def watch_editor(self, process: int) -> None:
        """End when the client's process ends, even if another process keeps the input open."""
        threading.Thread(target=self._wait_for_editor, args=(process,), name="midfill-editor", daemon=True).start()

    def _wait_for_editor(self, process: int) -> None:
        try:
            wait_for_end(process)
        except ValueError:
            _log.warning("The client's processId %d is no process; Midfill ends when the input does", process)
            return
        _log.warning("The client's process %d has ended, or runs where Midfill cannot see it; Midfill ends", process)
        if self._input is not None:
            self._input.end()

    def _exit_code(self) -> int:
        return 0 if self.protocol.shutdown_requested else 1

    def report_server_error(self, error: Exception, source: ServerErrors) -> None:
        """Log a failure in one line without text. pygls would show the error's message, which may quote a document."""
        by_client = source is JsonRpcException or isinstance(error, (JsonRpcInvalidParams, JsonRpcMethodNotFound))
        _log.log(
            logging.WARNING if by_client else logging.ERROR,
            "A message of the client's could not be handled: %s" if by_client else "Midfill failed: %s",
            error,
        )

    def show(self, kind: types.MessageType, message: str) -> None:
        """Show the user one line. It may quote a file or an answer, and editors make links of what looks like one."""
        self.window_show_message(types.ShowMessageParams(type=kind, message=message.replace("](", "] (")))

    def warn(self, problems: Sequence[str]) -> None:
        """Show the user each problem of the settings in one line."""
        for problem in problems:
            self.show(types.MessageType.Warning, problem)

    def current_text(self, path: str) -> str | None:
        """Return the text of a file if it is open."""
        _, document = self.open_document(path)
        return document.text if document else None

    def open_documents(self) -> dict[str, DocumentSnapshot]:
        """Return all open documents as they are now, by their URIs; may be called from any thread."""
        return {
            name.uri: DocumentSnapshot(
                uri=name.uri,
                path=name.path,
                opened_as=name.opened_as,
                text=document.text,
                version=document.version,
                language=self.protocol.notebooks.language(name.uri, document),
            )
            for name, document in self.protocol.documents.items()
        }

    def open_document(self, path: str) -> tuple[str, Document | None]:
        """Return the URI of a file, whose path is its identity, and its document if it is open."""
        name = self.protocol.documents.at(path)
        return (name.uri, self.protocol.documents.get(name.uri)) if name else (self.protocol.folders.uri_of(path), None)

    def publish_findings(self, uri: str) -> None:
        """Show the findings of a document in place of those that were shown before."""
        document = self.protocol.documents.get(uri)
        found = self.session.actions.findings.of(uri) if self.session else []
        diagnostics = diagnostics_of(found, document) if document else []
        version = document.version if document else None
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, diagnostics, version))

    @property
    def text_channel(self) -> TextChannel:
        """The ways in which texts of actions can reach the user."""
        return TextChannel(
            capabilities=self.client_capabilities,
            notify=self.protocol.notify,
            show_document=self.window_show_document_async,
            show_message=lambda text: self.show(types.MessageType.Info, text),
        )

    def register_texts(self) -> None:
        """Let a client that can do so ask for the texts of actions as documents."""
        found = registration(self.client_capabilities)
        if found:
            self.client_register_capability(types.RegistrationParams(registrations=[found]))

    def wake(self) -> None:
        """Load the model and show its progress, unless the model is loaded or being loaded already."""
        if self.session is not None:
            progress = WorkProgress(self, "loading the model")
            loading = self.session.load(progress.report)
            if loading is not None:
                self._loading = asyncio.create_task(_show_loading(self, progress, loading))

    def watch_index(self) -> None:
        """Show the progress of the workspace's index from now on."""
        self._loop = asyncio.get_running_loop()

    def index_progress(self, state: IndexState) -> None:
        """Receive the progress of the index; may be called from any thread."""
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
        async with WorkProgress(self, "reading the workspace") as progress:
            while not (state := self._index_state).done:
                progress.report(f"{state.files:,} files read", state.fraction)
                await asyncio.sleep(_INDEX_SHOWN_AFTER)

    def close(self) -> None:
        """Stop the model, its thread and the index."""
        if self.session is not None:
            self.session.close()


def text_free(handler: Callable[[MidfillServer, Params], Awaitable[Result]]) -> Callable[..., Awaitable[Result]]:
    """Answer a crash of the handler with an error that quotes nothing. pygls would send the exception's message."""

    @functools.wraps(handler)
    async def guarded(server: MidfillServer, params: Params) -> Result:
        try:
            return await handler(server, params)
        except (JsonRpcException, asyncio.CancelledError, SystemExit, KeyboardInterrupt):
            raise  # the message of the first is Midfill's own
        except BaseException as error:  # a panic in the tokenizer is not an Exception, and is answered, too
            raise JsonRpcInternalError(f"Midfill failed: {describe(error)}") from error

    return guarded


def plain(settings: object) -> object:
    """Return settings as plain JSON values. pygls makes an object with attributes of each JSON object."""
    if isinstance(settings, (list, tuple)) and not hasattr(settings, "_asdict"):
        return [plain(value) for value in settings]
    if hasattr(settings, "_asdict"):
        return {name: plain(value) for name, value in settings._asdict().items()}
    if isinstance(settings, dict):
        return {name: plain(value) for name, value in settings.items()}
    return settings


async def _show_loading(server: MidfillServer, progress: WorkProgress, loading: Future[None]) -> None:
    """Show the progress of loading; if it fails, show why in one line."""
    async with progress:
        try:
            await asyncio.wrap_future(loading)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # a panic in the tokenizer is not an Exception
            message = str(error) if isinstance(error, MidfillError) else f"Midfill cannot load: {describe(error)}"
            _log.error("%s", PublicText(message))
            server.show(types.MessageType.Error, message)
