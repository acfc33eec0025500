"""A language client that types: the server as a process of its own over pipes, as editors start it."""

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
from midfill.client.server_process import SERVE, Json, ServerProcess, result_of
from midfill.common.errors import BenchError
from midfill.settings.schema import Settings

_PATIENCE = 300.0
"""Seconds after which a model will not load any more."""
_ERROR = 1
"""LSP's number of a message that tells of an error."""


class LspClient:
    """One server's process, one document at a time; a context manager that ends it.

    Columns are counted in code points (``utf-32``), so that they are those of Python's strings.
    """

    tokens_computed = None  # not on the wire

    def __init__(self, settings: Settings, command: Sequence[str] = SERVE) -> None:
        """Start a server by ``command`` and wait until its model is loaded.

        Raises:
            ServerEnded: the server ended.
            BenchError: it said that it cannot load the model.
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
        """Memory the server holds."""
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
        result_of(self._server.request("initialize", params), _PATIENCE)
        self._server.notify("initialized", {})
        told = self._server.wait_for_notification(_tells_of_loading, _PATIENCE)
        if told["method"] == "window/showMessage":
            raise BenchError(told["params"]["message"])


def _tells_of_loading(notification: Json) -> bool:
    """Whether a notification is the end of loading, or says why the model cannot be loaded."""
    params = notification["params"]
    if notification["method"] == "window/showMessage":
        return bool(params["type"] == _ERROR)
    return notification["method"] == "$/progress" and bool(params["value"].get("kind") == "end")


def _options(settings: Settings) -> Json:
    """Write settings as editors send them."""
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
    """Return the suggestion's text to come, "" for none; a request that was cancelled has no result at all."""
    text: Future[str] = Future()

    def arrived(done: Future[Json]) -> None:
        if error := done.exception():
            text.set_exception(error)
        else:
            result = done.result().get("result")
            text.set_result(str(result["items"][0]["insertText"]) if result and result["items"] else "")

    answer.add_done_callback(arrived)
    return text
