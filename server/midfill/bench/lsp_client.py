"""A language client that types: the server as a process of its own over pipes, as editors start it."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from midfill.bench import processes
from midfill.bench.scenes import Scene
from midfill.errors import BenchError
from midfill.settings import Settings

Json = dict[str, Any]

_SERVE = (sys.executable, "-m", "midfill", "serve")
_PATIENCE = 300.0
"""Seconds after which a model will not load any more."""
_SHUTDOWN_SECONDS = 10.0


@dataclass(frozen=True)
class _Question:
    read: Callable[[Any], Any]
    """Turns the result into the answer."""
    answer: Future[Any] = field(default_factory=Future)


class LspClient:
    """One server's process, one document at a time; a context manager that ends it.

    Columns are counted in code points (``utf-32``), so that they are those of Python's strings.
    """

    tokens_computed = None  # not on the wire

    def __init__(self, settings: Settings, command: Sequence[str] = _SERVE) -> None:
        """Start a server by ``command`` and wait until its model is loaded.

        Raises:
            BenchError: the server ended, or said that it cannot load.
        """
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the process)
        started = time.perf_counter()
        self._process = subprocess.Popen(  # noqa: S603 (our own server, but in tests)
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log
        )
        assert self._process.stdin is not None  # noqa: S101 (for mypy: it is a pipe)
        assert self._process.stdout is not None  # noqa: S101
        self._stdin: IO[bytes] = self._process.stdin
        self._stdout: IO[bytes] = self._process.stdout
        self._sending = threading.Lock()
        self._numbers = itertools.count()
        self._asked: dict[int, _Question] = {}
        self._newest = -1
        self._loaded: Future[None] = Future()
        self._uri = ""
        self._text = ""
        self._version = 0
        self._reader = threading.Thread(target=self._read, name="bench-lsp", daemon=True)
        self._reader.start()
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
        if self._reader.is_alive():
            with contextlib.suppress(Exception):  # whatever keeps it from leaving, it must not stay
                self._request("shutdown", None).result(_SHUTDOWN_SECONDS)
                self._notify("exit", None)
                self._process.wait(_SHUTDOWN_SECONDS)
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for stream in (self._stdin, self._stdout, self._log):
            stream.close()

    @property
    def resident_bytes(self) -> int:
        """Memory the server holds."""
        return processes.resident_bytes(self._process.pid)

    def open(self, scene: Scene) -> None:
        """See :meth:`midfill.bench.replay.Suggester.open`."""
        self._uri = f"file:///bench/{scene.path}"
        self._text, self._version = scene.text, 0
        document = {"uri": self._uri, "languageId": "python", "version": 0, "text": self._text}
        self._notify("textDocument/didOpen", {"textDocument": document})

    def type(self, offset: int, text: str) -> Future[str]:
        """See :meth:`midfill.bench.replay.Suggester.type`."""
        place = _position(self._text, offset)
        self._text = self._text[:offset] + text + self._text[offset:]
        self._version += 1
        self._notify(
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
        return self._request("textDocument/inlineCompletion", params, _suggested)

    def withdraw(self) -> None:
        """See :meth:`midfill.bench.replay.Suggester.withdraw`."""
        if self._newest in self._asked:
            self._notify("$/cancelRequest", {"id": self._newest})

    def close(self) -> None:
        """See :meth:`midfill.bench.replay.Suggester.close`."""
        self._notify("textDocument/didClose", {"textDocument": {"uri": self._uri}})
        processes.wait_until_idle(self._process.pid)

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
        self._request("initialize", params).result(_PATIENCE)
        self._notify("initialized", {})
        self._loaded.result(_PATIENCE)

    def _request(self, method: str, params: Any, read: Callable[[Any], Any] = lambda result: result) -> Future[Any]:
        self._newest = next(self._numbers)
        question = self._asked[self._newest] = _Question(read)
        self._send(id=self._newest, method=method, params=params)
        return question.answer

    def _notify(self, method: str, params: Any) -> None:
        self._send(method=method, params=params)

    def _send(self, **message: Any) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        with self._sending:
            try:
                self._stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
                self._stdin.flush()
            except OSError as error:
                raise BenchError(self._ended()) from error

    def _read(self) -> None:
        while message := _read_message(self._stdout):
            method = message.get("method")
            if method is None:
                question = self._asked.pop(message["id"])
                question.answer.set_result(question.read(message.get("result")))
            elif "id" in message:  # such as window/workDoneProgress/create
                self._send(id=message["id"], result=None)
            else:
                self._note(method, message["params"])
        failure = BenchError(self._ended())
        for waiting in (*(question.answer for question in self._asked.values()), self._loaded):
            if not waiting.done():
                waiting.set_exception(failure)

    def _note(self, method: str, params: Json) -> None:
        """Take in a notification: the end of loading, or why the model cannot be loaded."""
        if self._loaded.done():
            return
        if method == "window/showMessage" and params["type"] == 1:  # an error
            self._loaded.set_exception(BenchError(params["message"]))
        elif method == "$/progress" and params["value"].get("kind") == "end":
            self._loaded.set_result(None)

    def _ended(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return f"the language server ended early: {lines[-1] if lines else 'it logged nothing'}"


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


def _suggested(result: Any) -> str:
    """Return the suggestion's text, "" for none; a request that was cancelled has no result at all."""
    items = result["items"] if result else []
    return str(items[0]["insertText"]) if items else ""


def _read_message(stream: IO[bytes]) -> Json | None:
    length = 0
    while (header := stream.readline()) not in (b"", b"\r\n"):
        name, _, value = header.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    body = stream.read(length) if header else b""
    return json.loads(body) if body else None
