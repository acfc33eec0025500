"""The protocol of pygls, with corrections that real clients need.

Every request gets an answer, even one that cannot be read or that comes at the wrong time. Documents have lines as LSP
defines them (:mod:`midfill.lsp.text_document`).
"""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInternalError,
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcParseError,
    JsonRpcServerNotInitialized,
)
from pygls.protocol import JsonRPCNotification, LanguageServerProtocol, default_converter, lsp_method

from midfill.lsp import json_rpc
from midfill.lsp.notebooks import Notebooks
from midfill.lsp.open_documents import OpenDocuments
from midfill.lsp.text_document import Document
from midfill.lsp.workspace_folders import WorkspaceFolders

if TYPE_CHECKING:
    from cattrs import Converter
    from pygls.lsp.server import LanguageServer

_log = logging.getLogger(__name__)


def new_converter() -> Converter:
    """Return what turns JSON into LSP types and back; it stops at the first fault.

    cattrs would otherwise keep an error for each item, and a text where a list should be has an item for each letter:
    40,000 of them took five seconds.
    """
    converter: Converter = default_converter()  # type: ignore[no-untyped-call]
    converter.detailed_validation = False
    return converter


class MidfillProtocol(LanguageServerProtocol):
    """The language server protocol of one client, and the client's folders and open documents."""

    def __init__(self, server: LanguageServer, converter: Converter) -> None:
        super().__init__(server, converter)
        self.folders = WorkspaceFolders()
        self.documents = OpenDocuments()
        self.notebooks = Notebooks()

    @property
    def shutdown_requested(self) -> bool:
        """Whether the client has sent `shutdown`."""
        return self._shutdown

    def receive(self, body: bytes | None) -> None:
        """Take in the body of one message; None for bytes that belong to no message.

        What is wrong is logged, and answered unless it is a notification. Nothing is raised but what ends the server.
        """
        try:
            message = json.loads(body or b"")
        except (ValueError, RecursionError) as error:
            self._refuse(None, JsonRpcParseError("The message is not JSON"))
            self._server.report_server_error(error, JsonRpcException)
            return
        try:
            self.handle_message(message)
        except Exception as error:
            self._server.report_server_error(error, JsonRpcException)

    def handle_message(self, message: Any) -> None:
        """Pass a message, as JSON, to its handler.

        Raises:
            JsonRpcException: it has the wrong form, or comes at the wrong time; it was answered.
        """
        try:
            json_rpc.check(message)
            self._check_time(message)
            structured = self._structured(message)
        except JsonRpcException as error:
            for number in json_rpc.ids_to_refuse(message):
                self._refuse(number, error)
            raise
        self._use_opened_name(getattr(structured, "params", None))
        super().handle_message(structured)
        if "id" in message and not hasattr(structured, "id"):  # a notification, but the client waits for an answer
            self._send_response(message["id"], result=None)

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Generator[Any, Any, types.InitializeResult]:
        """Keep the client's folders. pygls cannot read every URI of a folder, so it gets none."""
        self.folders.open(params)
        params.root_uri = params.root_path = params.workspace_folders = None
        return (yield from super().lsp_initialize(params))

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> None:
        """Keep a document that the client has opened."""
        self._open(params.text_document)
        self._tell_server(types.TEXT_DOCUMENT_DID_OPEN, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> None:
        """Bring a document up to date."""
        if self._change(params.text_document, params.content_changes):
            self._tell_server(types.TEXT_DOCUMENT_DID_CHANGE, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> None:
        """Forget a document."""
        self._tell_server(types.TEXT_DOCUMENT_DID_CLOSE, params)
        self.documents.close(params.text_document.uri)

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    def lsp_notebook_document__did_open(self, params: types.DidOpenNotebookDocumentParams) -> None:
        """Keep a notebook and its cells."""
        self.notebooks.open(params.notebook_document)
        for cell in params.cell_text_documents:
            self._open(cell)

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def lsp_notebook_document__did_change(self, params: types.DidChangeNotebookDocumentParams) -> None:
        """Bring a notebook and its cells up to date. An edit of a cell is an edit of a document."""
        cells = params.change.cells
        if cells is None:
            return
        if cells.structure is not None:
            for opened in cells.structure.did_open or ():
                self._open(opened)
            self.notebooks.change(params.notebook_document.uri, cells.structure.array)
            for closed in cells.structure.did_close or ():
                self.documents.close(closed.uri)
        for content in cells.text_content or ():
            if self._change(content.document, content.changes):
                edit = types.DidChangeTextDocumentParams(
                    text_document=content.document, content_changes=content.changes
                )
                self._use_opened_name(edit)
                self._tell_server(types.TEXT_DOCUMENT_DID_CHANGE, edit)

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def lsp_notebook_document__did_close(self, params: types.DidCloseNotebookDocumentParams) -> None:
        """Forget a notebook and its cells."""
        self.notebooks.close(params.notebook_document.uri)
        for cell in params.cell_text_documents:
            self.documents.close(cell.uri)
        closed = types.TextDocumentIdentifier(uri=params.notebook_document.uri)
        self._tell_server(types.TEXT_DOCUMENT_DID_CLOSE, types.DidCloseTextDocumentParams(text_document=closed))

    @lsp_method(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def lsp_workspace__did_change_workspace_folders(self, params: types.DidChangeWorkspaceFoldersParams) -> None:
        """Work in other folders. pygls would keep them by URIs without escapes, where `%23` and `#` are the same."""
        self.folders.change(params.event)
        self._tell_server(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, params)

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(  # type: ignore[override]  # pygls runs whatever has a method's name
        self, params: types.ExecuteCommandParams
    ) -> Any:
        """Run a command. Its handler gets the params as they are.

        pygls would not pass on their progress token, and would not stop the handler when the client cancels.
        """
        handler = self.fm.commands.get(params.command)
        if handler is None:
            raise JsonRpcInvalidParams("Midfill has no such command")
        if params.work_done_token is not None and not json_rpc.is_id(params.work_done_token):
            raise JsonRpcInvalidParams("'workDoneToken' must be a whole number or a text")
        result = handler(params)
        return await result if inspect.isawaitable(result) else result

    def _open(self, document: types.TextDocumentItem) -> None:
        encoding = self.server_capabilities.position_encoding or types.PositionEncodingKind.Utf16
        opened = Document(
            document.text,
            language=str(document.language_id),
            encoding=types.PositionEncodingKind(encoding).value,
            version=document.version,
        )
        self.documents.open(document.uri, opened)

    def _change(
        self,
        changed: types.VersionedTextDocumentIdentifier,
        changes: Sequence[types.TextDocumentContentChangeEvent],
    ) -> bool:
        """Apply changes in their order; return False if the document is not open."""
        document = self.documents.get(changed.uri)
        if document is None:
            _log.warning("The client changed a document that it has not opened; ignored")
            return False
        for change in changes:
            document = document.changed(change, changed.version)
        self.documents.replace(changed.uri, document)
        return True

    def _check_time(self, message: dict[str, Any]) -> None:
        """Refuse a request before `initialize` or after `shutdown`, and an answer that the server does not wait for."""
        if json_rpc.is_response(message):
            if message["id"] not in self._result_types:
                raise JsonRpcInvalidRequest("Midfill does not wait for this answer")
        elif "id" in message:
            if self._shutdown:
                raise JsonRpcInvalidRequest("Midfill is shutting down")
            if self._workspace is None and message["method"] != types.INITIALIZE:
                raise JsonRpcServerNotInitialized("Midfill waits for 'initialize'")
            if self._workspace is not None and message["method"] == types.INITIALIZE:
                raise JsonRpcInvalidRequest("Midfill is initialized already")

    def _structured(self, message: dict[str, Any]) -> Any:
        """Turn JSON into LSP types."""
        if "method" in message:
            message = {"params": None, **message}
        try:
            try:
                structured = self._of_its_type(message)
            except JsonRpcInternalError as error:  # so pygls calls the first fault of the client's params
                raise JsonRpcInvalidParams from error
            if isinstance(structured, types.CancelNotification) and not json_rpc.is_id(structured.params.id):
                raise JsonRpcInvalidParams("'id' must be a whole number or a text")
            return structured
        except JsonRpcException as error:
            if json_rpc.is_response(message) and (waiting := self._request_futures.pop(message["id"], None)):
                waiting.set_exception(error)
            raise

    def _of_its_type(self, message: dict[str, Any]) -> Any:
        """Return a message as LSP's type. A command may come as a notification: so copilot.el says what it accepted."""
        if "id" in message or message["method"] != types.WORKSPACE_EXECUTE_COMMAND:
            return self.structure_message(message)
        request = self.structure_message({**message, "id": 0})
        return JsonRPCNotification(request.method, request.jsonrpc, request.params)

    def _refuse(self, number: Any, error: JsonRpcException) -> None:
        # lsprotocol's own error would leave out an id that is null.
        refusal = {"code": error.code, "message": error.message}
        self._send_data({"jsonrpc": json_rpc.VERSION, "id": number, "error": refusal})

    def _use_opened_name(self, params: Any) -> None:
        """Let a message name its document by the URI under which the client opened it, whatever spelling it has."""
        named = getattr(params, "text_document", None)
        if isinstance(named, (types.TextDocumentIdentifier, types.VersionedTextDocumentIdentifier)):
            named.uri = self.documents.uri(named.uri)

    def _tell_server(self, method: str, params: Any) -> None:
        """Call the server's own handler, if it has one.

        If the handler were yielded to pygls, pygls would keep a future of each notification for ever.
        """
        handler = self.fm.features.get(method)
        if handler is not None:
            handler(params)
