"""The language server: the features that it has, and how it is started."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import BinaryIO, cast

from lsprotocol import types

from midfill.actions import ACTIONS, Perform, perform
from midfill.completion.scheduler import new_scheduler
from midfill.lsp import items
from midfill.lsp.code_actions import DO
from midfill.lsp.handlers import actions as acting
from midfill.lsp.handlers import completion as completing
from midfill.lsp.handlers import documents
from midfill.lsp.protocol import BoundedInput
from midfill.lsp.server import MidfillServer
from midfill.session.session import SchedulerFactory

# Copilot's language server has these names too, and editors' plug-ins know them.
_DID_SHOW = "textDocument/didShowCompletion"
_DID_PARTIALLY_ACCEPT = "textDocument/didPartiallyAcceptCompletion"


def create_server(make_scheduler: SchedulerFactory = new_scheduler, perform: Perform = perform) -> MidfillServer:
    """Return a server that can be started. ``make_scheduler`` is called when the settings are known."""
    server = MidfillServer(make_scheduler, perform)
    server.feature(types.INITIALIZE)(documents.initialize)
    server.feature(types.INITIALIZED)(documents.initialized)
    server.feature(types.TEXT_DOCUMENT_DID_OPEN)(documents.opened)
    server.feature(types.TEXT_DOCUMENT_DID_CHANGE)(documents.changed)
    server.feature(types.TEXT_DOCUMENT_DID_SAVE, types.SaveOptions(include_text=False))(documents.saved)
    server.feature(types.TEXT_DOCUMENT_DID_CLOSE)(documents.closed)
    server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)(documents.configuration_changed)
    server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)(documents.files_changed)
    server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)(documents.folders_changed)
    # Without options, pygls does not announce this feature to the client.
    server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())(completing.inline_completion)
    server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions())(completing.completion)
    server.feature(_DID_SHOW)(completing.did_show)
    server.feature(_DID_PARTIALLY_ACCEPT)(completing.did_partially_accept)
    server.command(items.ACCEPTED)(completing.accepted)
    kinds = sorted({action.kind for action in ACTIONS.values()})
    code_actions = types.CodeActionOptions(code_action_kinds=kinds, resolve_provider=True)
    server.feature(types.TEXT_DOCUMENT_CODE_ACTION, code_actions)(acting.code_action)
    server.feature(types.CODE_ACTION_RESOLVE)(acting.resolve)
    server.feature(types.TEXT_DOCUMENT_HOVER)(acting.hover)
    server.feature(types.WORKSPACE_TEXT_DOCUMENT_CONTENT)(acting.text_content)
    server.command(DO)(acting.do)
    server.command(acting.ASK_COMMAND)(acting.ask)
    server.command(acting.CLEAR_FINDINGS)(acting.clear_findings)
    server.command("midfill.why")(completing.why)
    server.command("midfill.statistics")(completing.show_statistics)
    return server


def serve_stdio(make_scheduler: SchedulerFactory = new_scheduler, perform: Perform = perform) -> int:
    """Serve one client on stdin and stdout until it leaves; return the exit code."""
    stdin = cast("BinaryIO", BoundedInput(sys.stdin.buffer))
    stdout = os.fdopen(os.dup(sys.stdout.fileno()), "wb")  # pygls closes it, and must not close sys.stdout
    return _serve(create_server(make_scheduler, perform), lambda server: server.start_io(stdin, stdout))


def serve_tcp(
    host: str, port: int, make_scheduler: SchedulerFactory = new_scheduler, perform: Perform = perform
) -> int:
    """Serve one client that connects to a port until it leaves; return the exit code."""
    return _serve(create_server(make_scheduler, perform), lambda server: server.start_tcp(host, port))


def _serve(server: MidfillServer, start: Callable[[MidfillServer], None]) -> int:
    # pygls waits for its thread that reads stdin: Ctrl-C would do nothing until the next line arrives.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        start(server)
    except SystemExit:  # pygls raises it over TCP; over stdio pygls hides it and the exit code
        pass
    finally:
        server.close()
    return 0 if server.protocol.shutdown_requested else 1
