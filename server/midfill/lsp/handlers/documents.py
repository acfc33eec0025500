"""What a client says about itself, its documents and its files."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from lsprotocol import types

from midfill.common.file_identity import resolve, resolve_entry
from midfill.common.file_uri import file_in
from midfill.lsp.handlers.completion import request_at
from midfill.lsp.run_question import asking, can_ask
from midfill.lsp.server import MidfillServer, plain
from midfill.session.session import Session
from midfill.settings import sources


def initialize(server: MidfillServer, params: types.InitializeParams) -> None:
    """Read the settings; pygls answers with the capabilities."""
    if params.process_id is not None:
        server.watch_editor(params.process_id)
    server.session = Session(
        server.protocol.folders.paths,
        params.initialization_options,
        server.current_text,
        make_scheduler=server.make_scheduler,
        perform=server.perform,
        open_documents=server.open_documents,
        on_index_progress=server.index_progress,
        tell=lambda line: server.warn([line]),
        ask_to_run=asking(server.window_show_message_request_async, asyncio.get_running_loop())
        if can_ask(params.capabilities)
        else None,
    )


def initialized(server: MidfillServer, _params: types.InitializedParams) -> None:
    """Load the model and index the workspace in the background. Requests wait for the model, not for the index."""
    if server.session is None:
        return
    server.warn(server.session.problems)
    server.register_texts()
    server.watch_index()
    server.session.begin()
    server.wake()
    _watch_files(server)


def opened(server: MidfillServer, params: types.DidOpenTextDocumentParams) -> None:
    """Expect a request where the user last worked in the document, or at its start."""
    document = server.protocol.documents.get(params.text_document.uri)
    if server.session is not None and document is not None:
        server.session.edits.opened(server.protocol.documents.name(params.text_document.uri).path, document.text)
    _prepare(server, params.text_document.uri, visit=True)


def changed(server: MidfillServer, params: types.DidChangeTextDocumentParams) -> None:
    """Expect a request where the last edit ended."""
    uri = params.text_document.uri
    document = server.protocol.documents.get(uri)
    if document is not None and server.session is not None:
        server.session.edits.changed(server.protocol.documents.name(uri).path, document.text)
    findings = server.session.actions.findings if server.session is not None else None
    if document is not None and findings is not None and findings.changed(uri, document.text):
        server.publish_findings(uri)
    change = params.content_changes[-1] if params.content_changes else None
    if document is not None and isinstance(change, types.TextDocumentContentChangePartial):
        inserted = change.text.replace("\r\n", "\n")
        start = document.offset_at(change.range.start)
        server.last_offsets[server.protocol.documents.name(uri).path] = start + len(inserted)
        if server.session is not None and len(params.content_changes) == 1:
            whole = server.protocol.notebooks.whole(uri, document, start, server.protocol.documents)
            server.session.inserted(whole.name.path, whole.start + start, inserted)
    _prepare(server, uri)


def saved(server: MidfillServer, params: types.DidSaveTextDocumentParams) -> None:
    """Read the file again for the index."""
    _files_changed(server, [params.text_document.uri])


def closed(server: MidfillServer, params: types.DidCloseTextDocumentParams) -> None:
    """Forget everything about the document, which is still in the list of open ones."""
    name = server.protocol.documents.name(params.text_document.uri)
    if server.session is not None:
        if server.session.actions.findings.forget(name.uri):
            server.publish_findings(name.uri)
        if server.protocol.documents.is_only_one(name):
            server.session.closed(name.path)


def configuration_changed(server: MidfillServer, params: types.DidChangeConfigurationParams) -> None:
    """Apply the user's changed settings."""
    if server.session is not None:
        server.warn(server.session.settings_changed(plain(params.settings)))
        server.wake()


def files_changed(server: MidfillServer, params: types.DidChangeWatchedFilesParams) -> None:
    """Read changed files again: sources for the index, and settings."""
    _files_changed(server, [event.uri for event in params.changes])


def folders_changed(server: MidfillServer, _params: types.DidChangeWorkspaceFoldersParams) -> None:
    """Work in other folders."""
    if server.session is not None:
        server.warn(server.session.folders_changed(server.protocol.folders.paths))


def _files_changed(server: MidfillServer, uris: Sequence[str]) -> None:
    if server.session is not None:
        server.warn(server.session.files_changed(str(file) for uri in uris if (file := file_in(uri)) is not None))


def _watch_files(server: MidfillServer) -> None:
    """Let the client report files that change on disk, if it can."""
    workspace = server.client_capabilities.workspace
    watching = workspace.did_change_watched_files if workspace else None
    if watching is None or not watching.dynamic_registration:
        return
    watchers = [types.FileSystemWatcher(glob_pattern="**/*")]
    if watching.relative_pattern_support:  # the user's own settings are outside the workspace
        named = sources.user_file()
        for own in dict.fromkeys((resolve_entry(named), resolve(named))):
            pattern = types.RelativePattern(base_uri=own.parent.as_uri(), pattern=own.name)
            watchers.append(types.FileSystemWatcher(glob_pattern=pattern))
    options = types.DidChangeWatchedFilesRegistrationOptions(watchers=watchers)
    registration = types.Registration(
        id="midfill-files", method=types.WORKSPACE_DID_CHANGE_WATCHED_FILES, register_options=options
    )
    server.client_register_capability(types.RegistrationParams(registrations=[registration]))


def _prepare(server: MidfillServer, uri: str, *, visit: bool = False) -> None:
    """Load the model and prefill its prompt before a request comes."""
    document = server.protocol.documents.get(uri)
    if server.session is not None and document is not None:
        server.wake()
        offset = server.last_offsets.get(server.protocol.documents.name(uri).path, 0)
        whole = server.protocol.notebooks.whole(uri, document, offset, server.protocol.documents)
        expected = request_at(whole, offset, invoked=False)
        server.session.expect(expected, visit=visit)
