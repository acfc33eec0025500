"""Drives a server through all that it does: a suggestion with a part of another file, an action, and the end."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midfill.client.server_process import SERVE, ServerProcess
from midfill.common.errors import ServerEnded
from midfill.egress.environment import talkative
from midfill.egress.watch import Watch
from midfill.settings.engine_settings import engine_options
from midfill.settings.schema import Settings

_PATIENCE = 300.0
"""Maximum number of seconds for one answer; a slow machine loads a large model in less."""
_INDEX_TRIES, _INDEX_PAUSE = 40, 0.25
_OTHER_FILE, _OTHER = "helpers.py", "def combine_totals(first, second):\n    return first + second\n"
_FILE, _CODE = "main.py", "from helpers import combine_totals\n\n\ndef add(left, right):\n    return \n"
_LINE, _COLUMN = 4, 11


@dataclass(frozen=True)
class SessionResult:
    """What a session has done, so that its silence means something."""

    suggestion: str
    """The suggestion; "" for none."""
    used_index: bool
    """Whether its prompt had a part of the other file."""
    answer: str
    """What the model said about the code; "" for nothing."""


def run_session(watch: Watch, settings: Settings, command: Sequence[str] = SERVE) -> SessionResult:
    """Run a server in the watch, with a workspace and a cache folder of its own, from start to end.

    Args:
        watch: what watches the server.
        settings: what names the bundles, and perhaps servers that have models.
        command: the server's program and its arguments.

    Raises:
        EgressUnwatched: the kernel refuses to report calls.
        ServerEnded: the server ended early, or did not answer.
    """
    with tempfile.TemporaryDirectory(prefix="midfill-egress-") as name:
        folder = Path(name).resolve()
        workspace = folder / "workspace"
        workspace.mkdir()
        (workspace / _OTHER_FILE).write_text(_OTHER, encoding="utf-8")
        (workspace / _FILE).write_text(_CODE, encoding="utf-8")
        environment = talkative(MIDFILL_CACHE=str(folder / "cache"), MIDFILL_BUNDLE=str(settings.bundle))
        log = (folder / "log").open("a+b")
        with watch.start(lambda: ServerProcess(command, log, env=environment)) as server:
            options: dict[str, Any] = {"minConfidence": 0, "deadlineMs": 0, "maxTokens": 16}
            options |= {"actionsBundle": str(settings.actions_bundle), **engine_options(settings)}
            options["shareEngine"] = False  # an engine that runs already is not watched
            return _Client(server, workspace).run(options)


class _Client:
    def __init__(self, server: ServerProcess, workspace: Path) -> None:
        self._server = server
        self._workspace = workspace
        self._document = {"uri": (workspace / _FILE).as_uri()}

    def run(self, options: dict[str, Any]) -> SessionResult:
        folder = {"uri": self._workspace.as_uri(), "name": "workspace"}
        capabilities = {"window": {"workDoneProgress": True}, "textDocument": {"inlineCompletion": {}}}
        begin = {"processId": None, "rootUri": None, "workspaceFolders": [folder], "capabilities": capabilities}
        self._ask("initialize", {**begin, "initializationOptions": options})
        self._server.notify("initialized", {})
        suggestion, used_index = self._suggestion()
        return SessionResult(suggestion, used_index, self._answer())

    def _suggestion(self) -> tuple[str, bool]:
        """Ask until the index is built, which is done in the background.

        A document that is opened anew gets a new answer.
        """
        suggestion, used_index = "", False
        for _ in range(_INDEX_TRIES):
            self._open()
            place = {"textDocument": self._document, "position": {"line": _LINE, "character": _COLUMN}}
            found = self._ask("textDocument/inlineCompletion", {**place, "context": {"triggerKind": 1}})
            items = found["items"] if isinstance(found, dict) else []
            suggestion = items[0]["insertText"] if items else ""
            used_index = _OTHER_FILE in str(self._command("midfill.why", [1]))
            self._server.notify("textDocument/didClose", {"textDocument": self._document})
            if used_index:
                break
            time.sleep(_INDEX_PAUSE)
        return suggestion, used_index

    def _answer(self) -> str:
        lines = {"start": {"line": 3, "character": 0}, "end": {"line": 5, "character": 0}}
        self._open()
        question = {**self._document, "range": lines, "text": "What does this function return? One sentence."}
        found = self._command("midfill.ask", [question])
        return str(found.get("text") or "") if isinstance(found, dict) else ""

    def _open(self) -> None:
        opened = {**self._document, "languageId": "python", "version": 0, "text": _CODE}
        self._server.notify("textDocument/didOpen", {"textDocument": opened})

    def _command(self, command: str, arguments: list[Any]) -> Any:
        return self._ask("workspace/executeCommand", {"command": command, "arguments": arguments})

    def _ask(self, method: str, params: Any) -> Any:
        """Return the result of a request; None if it is an error."""
        try:
            return self._server.request(method, params).result(_PATIENCE).get("result")
        except FutureTimeout as error:
            raise ServerEnded(f"the language server did not answer {method} within {_PATIENCE:.0f} s") from error
