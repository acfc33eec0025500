"""The language server: the features that it has, and how it is started."""

from __future__ import annotations

import os
import signal
import sys

from lsprotocol import types

from midfill.actions import ACTIONS, Perform, perform
from midfill.common import memory
from midfill.common.errors import UsageError
from midfill.completion.scheduler import new_scheduler
from midfill.lsp import items
from midfill.lsp.code_actions import DO
from midfill.lsp.handlers import actions as acting
from midfill.lsp.handlers import completion as completing
from midfill.lsp.handlers import documents, next_edit
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
    server.feature(next_edit.INLINE_EDIT)(next_edit.inline_edit)
    server.feature(next_edit.DID_SHOW)(next_edit.did_show)
    server.feature(next_edit.DID_FOCUS)(next_edit.did_focus)
    server.command(next_edit.ACCEPTED)(next_edit.accepted)
    server.command(next_edit.DISMISSED)(next_edit.dismissed)
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
    """Serve one client on stdin and stdout until it leaves; return the exit code.

    Raises:
        UsageError: stdin or stdout is closed.
    """
    if sys.stdin is None or sys.stdout is None:
        raise UsageError("'serve' needs an editor at its standard input and output: let the editor start it.")
    memory.use_one_heap()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it at once, whatever it does
    stdout = os.fdopen(os.dup(sys.stdout.fileno()), "wb")  # the server closes it, and must not close sys.stdout
    return create_server(make_scheduler, perform).serve(sys.stdin.fileno(), stdout)
