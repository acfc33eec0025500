"""The server of a script: a process that starts with the first message to it.

It has its own cache folder, so a script does not change the user's records. It ignores the user's settings.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from types import TracebackType
from typing import Any

from midfill.client.framing import Json
from midfill.client.server_process import SERVE, ServerProcess
from midfill.common.errors import HarnessError
from midfill.outcomes import journal
from midfill.settings.schema import default_bundle

ANSWER_TIMEOUT_SECONDS = 120.0
"""Maximum time that the server may take to answer."""
_CAPABILITIES = {
    "general": {"positionEncodings": ["utf-32"]},
    "window": {"workDoneProgress": True},
    "textDocument": {"inlineCompletion": {}, "completion": {}},
    "workspace": {"workspaceFolders": True, "applyEdit": True},
}


class ServerSession:
    """One server at a time; a context manager that ends it."""

    def __init__(
        self,
        workspace: Path,
        cache: Path,
        bundle: Path | None = None,
        command: Sequence[str] = SERVE,
        *,
        answer: Callable[[str, Any], Any],
    ) -> None:
        """Start nothing yet.

        Args:
            workspace: the folder that is open in the editor.
            cache: the server's cache folder; it is created if it does not exist.
            bundle: the model's bundle; None for the user's default one.
            command: the server's program and its arguments.
            answer: see :class:`midfill.client.server_process.ServerProcess`.
        """
        self._workspace = workspace
        self._cache = cache
        self._command = command
        self._answer = answer
        self._environment = {
            "MIDFILL_CACHE": str(cache),
            "MIDFILL_CONFIG": str(cache / "none.toml"),
            "MIDFILL_BUNDLE": str(bundle or default_bundle()),
        }
        self._settings: Json = {"shareEngine": False}  # no process stays behind when the script has ended
        self._server: ServerProcess | None = None

    def __enter__(self) -> ServerSession:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.__exit__(kind, error, trace)

    @property
    def is_running(self) -> bool:
        """Whether the server was started."""
        return self._server is not None

    @property
    def messages(self) -> list[str]:
        """The messages that the server has shown to the user."""
        received = list(self._server.notifications) if self._server is not None else []
        return [str(each["params"]["message"]) for each in received if each["method"] == "window/showMessage"]

    def wait_for_message(self, text: str) -> bool:
        """Wait for a message to the user that contains ``text``; return whether it came."""

        def is_it(notification: Json) -> bool:
            return notification["method"] == "window/showMessage" and text in notification["params"]["message"]

        try:
            self.server().wait_for_notification(is_it, ANSWER_TIMEOUT_SECONDS)
        except TimeoutError:
            return False
        return True

    def last_reason(self) -> str:
        """Return why the last request got no suggestion; "" if it got one, or if there was no request."""
        verdicts = journal.read_verdicts(self._cache / "journal.jsonl", 1)
        return verdicts[0].reason if verdicts else ""

    def set(self, settings: Json) -> None:
        """Change some settings; earlier changes stay. The value null resets a setting."""
        self._settings |= settings
        if self._server is not None:
            self._server.notify("workspace/didChangeConfiguration", {"settings": {"midfill": self._settings}})

    def kill(self) -> None:
        """Kill the server; the next message starts another one."""
        self.server().kill()
        self._server = None

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self.server().notify(method, params)

    def ask(self, method: str, params: Any, seconds: float = ANSWER_TIMEOUT_SECONDS) -> Any:
        """Send a request and wait for its result.

        Raises:
            HarnessError: the server answered with an error, or not in time.
            ServerEnded: the server ended.
        """
        answer = self.wait_for(self.server().request(method, params), method, seconds)
        if "error" in answer:
            raise HarnessError(f"the server refused {method}: {answer['error']['message']}")
        return answer["result"]

    def wait_for(self, answer: Future[Json], what: str, seconds: float = ANSWER_TIMEOUT_SECONDS) -> Json:
        """Wait for an answer, which has a result or an error; ``what`` names the request in an error message."""
        try:
            return answer.result(seconds)
        except FutureTimeout as error:
            raise HarnessError(f"the server did not answer {what} within {seconds:.0f} s.") from error

    def server(self) -> ServerProcess:
        """Return the server; start and initialize it if necessary."""
        if self._server is None:
            self._cache.mkdir(exist_ok=True)
            log = (self._cache / "server.log").open("a+b")
            environment = {**os.environ, **self._environment}
            self._server = ServerProcess(self._command, log, env=environment, answer=self._answer)
            folder = {"uri": self._workspace.as_uri(), "name": self._workspace.name}
            params = {
                "processId": None,
                "rootUri": folder["uri"],
                "workspaceFolders": [folder],
                "capabilities": _CAPABILITIES,
                "initializationOptions": self._settings,
            }
            self.ask("initialize", params)
            self._server.notify("initialized", {})
        return self._server
