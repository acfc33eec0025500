"""Types into the real language server, which runs as a process as editors start it."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType

from midfill.bench import processes
from midfill.bench.scenes import Scene
from midfill.client.framing import Json
from midfill.client.server_process import SERVE, ServerProcess, result_of
from midfill.common.errors import BenchError
from midfill.settings.schema import Settings

_TIMEOUT_SECONDS = 300.0
"""Maximum time that a server may take to load its model."""
_ERROR = 1
"""LSP's ``MessageType.Error``."""


class LspClient:
    """A :class:`midfill.bench.replay.Suggester`: a server process with one open document at a time.

    A context manager that ends the server. Columns count code points (``utf-32``), as the indices of Python's strings
    do.
    """

    tokens_computed = None  # the protocol does not report it

    def __init__(self, settings: Settings, command: Sequence[str] = SERVE) -> None:
        """Start a server with ``command`` and wait until its model is loaded.

        Raises:
            ServerEnded: the server ended.
            BenchError: the server cannot load the model; the message is the server's.
        """
        started = time.perf_counter()
        self._server = ServerProcess(command, tempfile.TemporaryFile("a+b"))  # noqa: SIM115 (closed with the process)
        self._newest: Future[Json] = Future()
        self._uri = ""
        self._text = ""
        self._version = 0
        try:
            self._start_session(settings)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        self.load_seconds = time.perf_counter() - started

    def __enter__(self) -> LspClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.__exit__(kind, error, trace)

    @property
    def memory(self) -> processes.Memory:
        """The server's memory."""
        return processes.memory_of(self._server.process.pid)

    def open(self, scene: Scene) -> None:
        """See :meth:`midfill.bench.replay.Suggester.open`."""
        self._uri = f"file:///bench/{scene.path}"
        self._text, self._version = scene.text, 0
        document = {"uri": self._uri, "languageId": "python", "version": 0, "text": self._text}
        self._server.notify("textDocument/didOpen", {"textDocument": document})

    def type(self, offset: int, text: str) -> Future[str]:
        """See :meth:`midfill.bench.replay.Suggester.type`."""
        place = _position(self._text, offset)
        self._text = self._text[:offset] + text + self._text[offset:]
        self._version += 1
        self._server.notify(
            "textDocument/didChange",
            {
                "textDocument": {"uri": self._uri, "version": self._version},
                "contentChanges": [{"range": {"start": place, "end": place}, "text": text}],
            },
        )
        params = {
            "textDocument": {"uri": self._uri},
            "position": _position(self._text, offset + len(text)),
            "context": {"triggerKind": 2},  # automatic
        }
        self._newest = self._server.request("textDocument/inlineCompletion", params)
        return _suggestion(self._newest)

    def withdraw(self) -> None:
        """See :meth:`midfill.bench.replay.Suggester.withdraw`."""
        self._server.cancel(self._newest)

    def close(self) -> None:
        """See :meth:`midfill.bench.replay.Suggester.close`."""
        self._server.notify("textDocument/didClose", {"textDocument": {"uri": self._uri}})
        processes.wait_until_idle(self._server.process.pid)

    def _start_session(self, settings: Settings) -> None:
        capabilities = {
            "general": {"positionEncodings": ["utf-32"]},
            "window": {"workDoneProgress": True},
            "textDocument": {"inlineCompletion": {}},
        }
        params = {
            "processId": None,
            "rootUri": None,
            "capabilities": capabilities,
            "initializationOptions": _options(settings),
        }
        result_of(self._server.request("initialize", params), _TIMEOUT_SECONDS)
        self._server.notify("initialized", {})
        notification = self._server.wait_for_notification(_ends_loading, _TIMEOUT_SECONDS)
        if notification["method"] == "window/showMessage":
            raise BenchError(notification["params"]["message"])


def _ends_loading(notification: Json) -> bool:
    """Return whether a notification says that the model is loaded, or why it cannot be loaded."""
    params = notification["params"]
    if notification["method"] == "window/showMessage":
        return bool(params["type"] == _ERROR)
    return notification["method"] == "$/progress" and bool(params["value"].get("kind") == "end")


def _options(settings: Settings) -> Json:
    """Return the settings in the form in which editors send them."""
    return {
        _camel(setting.name): str(value) if isinstance(value, Path) else value
        for setting in dataclasses.fields(settings)
        for value in (getattr(settings, setting.name),)
    }


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def _position(text: str, offset: int) -> dict[str, int]:
    return {"line": text.count("\n", 0, offset), "character": offset - text.rfind("\n", 0, offset) - 1}


def _suggestion(answer: Future[Json]) -> Future[str]:
    """Return a future for the suggestion's text: "" if there is no suggestion, or if the request was cancelled."""
    text: Future[str] = Future()

    def arrived(done: Future[Json]) -> None:
        if error := done.exception():
            text.set_exception(error)
        else:
            result = done.result().get("result")
            text.set_result(str(result["items"][0]["insertText"]) if result and result["items"] else "")

    answer.add_done_callback(arrived)
    return text
