"""A language client of its own framing, for what no decent client sends and for watching the server's process."""

from __future__ import annotations

import sys
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from types import TracebackType
from typing import Any

from midfill.client.framing import Json, framed
from midfill.client.server_process import SERVE, ServerProcess
from midfill.common.errors import ServerEnded

__all__ = ["MIDFILL", "PATIENCE", "SCRIPTED", "SHARED", "URI", "Json", "RawClient", "framed", "ghost_text_at"]

MIDFILL = [*SERVE]
SCRIPTED = [sys.executable, str(Path(__file__).with_name("scripted_server.py"))]
URI = "file:///work/sample.py"
SHARED: Json = {"shareEngine": True}
"""What is so by default, and set otherwise for other tests: the servers of one test process load the model once."""
PATIENCE = 120.0
"""Seconds after which an answer is not coming; far more than any needs, on a machine that does much else."""


class RawClient:
    """A server's process, with messages numbered and written by hand; a context manager that kills it.

    Requests of the server's own are answered with null, as a client does that grants progress.
    """

    def __init__(
        self, command: list[str], stderr: Path, env: dict[str, str] | None = None, patience: float = PATIENCE
    ) -> None:
        """Start a server whose answers are not coming after ``patience`` seconds."""
        self._stderr = stderr
        self._patience = patience
        stderr.unlink(missing_ok=True)
        self._server = ServerProcess(command, stderr.open("a+b"), env=env)
        self._answers: dict[Any, Future[Json]] = {}
        self.process = self._server.process
        self.notifications = self._server.notifications
        self.strays = self._server.strays
        self.notify = self._server.notify
        self.send_bytes = self._server.send_bytes
        self.close_stdin = self._server.close_stdin

    def __enter__(self) -> RawClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.kill()

    def send(self, *, id: object, method: str, params: Any) -> None:  # noqa: A002 - as LSP calls it
        """Send one request without waiting."""
        self._answers[id] = self._server.request(method, params, id)

    def request(self, number: int, method: str, params: Any) -> Json:
        """Send a request and wait for its answer."""
        self.send(id=number, method=method, params=params)
        return self.answer_to(number)

    def answer_to(self, number: int) -> Json:
        """Wait for the answer to a request."""
        try:
            return self._answers.pop(number).result(self._patience)
        except (ServerEnded, FutureTimeout):
            raise AssertionError(f"no answer to request {number}; the server's log:\n{self.stderr()}") from None

    def wait_for_notification(self, method: str, **value: Any) -> Json:
        """Wait for a notification; `value` names what its params' "value", or its params, must hold."""

        def matches(message: Json) -> bool:
            params = message["params"]
            return bool(message["method"] == method and value.items() <= params.get("value", params).items())

        try:
            return self._server.wait_for_notification(matches, self._patience)
        except (ServerEnded, TimeoutError):
            raise AssertionError(f"no {method}; the server's log:\n{self.stderr()}") from None

    def initialize(
        self,
        capabilities: Json | None = None,
        options: Json | None = None,
        folder: Path | None = None,
        process: int | None = None,
    ) -> Json:
        """Begin the session as a client that has ghost text and shows progress, in a workspace folder or in none.

        ``process`` is the client's process for the server to watch.
        """
        defaults = {"window": {"workDoneProgress": True}, "textDocument": {"inlineCompletion": {}}}
        params: Json = {"processId": process, "rootUri": None, "capabilities": capabilities or defaults}
        if folder is not None:
            params["workspaceFolders"] = [{"uri": folder.as_uri(), "name": folder.name}]
        answer = self.request(0, "initialize", {**params, "initializationOptions": SHARED | (options or {})})
        self.notify("initialized", {})
        return answer

    def wait_until_loaded(self) -> None:
        """Wait for the end of the progress that shows loading."""
        self.wait_for_notification("$/progress", kind="end")

    def open(self, text: str, uri: str = URI) -> None:
        """Open a document."""
        document = {"uri": uri, "languageId": "python", "version": 0, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})

    def ask(self, number: int, line: int, character: int, uri: str = URI) -> None:
        """Ask for ghost text without waiting."""
        self.send(id=number, method="textDocument/inlineCompletion", params=ghost_text_at(line, character, uri))

    def cancel(self, number: int) -> None:
        """Cancel a request."""
        self.notify("$/cancelRequest", {"id": number})

    def wait(self, seconds: float = PATIENCE) -> int:
        """Wait for the server to end; return its exit code."""
        return self.process.wait(seconds)

    def stderr(self) -> str:
        """Return what the server has logged so far."""
        return self._stderr.read_text(errors="replace")


def ghost_text_at(line: int, character: int, uri: str = URI) -> Json:
    """Make the params of a request for ghost text."""
    return {
        "textDocument": {"uri": uri},
        "position": {"line": line, "character": character},
        "context": {"triggerKind": 2},
    }
