"""A language client of its own framing, for what no decent client sends and for watching the server's process."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import psutil

Json = dict[str, Any]

MIDFILL = [sys.executable, "-m", "midfill", "serve"]
SCRIPTED = [sys.executable, str(Path(__file__).with_name("scripted_server.py"))]
URI = "file:///work/sample.py"
PATIENCE = 120.0
"""Seconds after which an answer is not coming; far more than any needs, on a machine that does much else."""


def framed(body: bytes) -> bytes:
    """Put the header before the body of a message."""
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


class RawClient:
    """A server's process, and the messages to and from it; a context manager that ends it.

    Requests of the server's own are answered with null, as a client does that grants progress.
    """

    def __init__(self, command: list[str], stderr: Path, env: dict[str, str] | None = None) -> None:
        self._stderr = stderr
        with stderr.open("wb") as file:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file, env=env
            )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._stdin: IO[bytes] = self.process.stdin
        self._stdout: IO[bytes] = self.process.stdout
        self._arrival = threading.Condition()
        self._sending = threading.Lock()
        self._answers: dict[Any, Json] = {}
        self._ended = False
        self.notifications: list[Json] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> RawClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self._stdout.close()
        self.close_stdin()

    def send_bytes(self, data: bytes) -> None:
        """Send anything."""
        with self._sending:
            self._stdin.write(data)
            self._stdin.flush()

    def send(self, **message: Any) -> None:
        """Send one message."""
        self.send_bytes(framed(json.dumps({"jsonrpc": "2.0", **message}).encode()))

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self.send(method=method, params=params)

    def request(self, number: int, method: str, params: Any) -> Json:
        """Send a request and wait for its answer."""
        self.send(id=number, method=method, params=params)
        return self.answer_to(number)

    def answer_to(self, number: int) -> Json:
        """Wait for the answer to a request."""
        with self._arrival:
            self._wait_for(lambda: number in self._answers, f"answer to request {number}")
            return self._answers.pop(number)

    def wait_for_notification(self, method: str, **value: Any) -> Json:
        """Wait for a notification; `value` names what its params' "value", or its params, must hold."""

        def matches(message: Json) -> bool:
            params = message["params"]
            return message["method"] == method and value.items() <= params.get("value", params).items()

        with self._arrival:
            self._wait_for(lambda: any(map(matches, self.notifications)), method)
            return next(filter(matches, self.notifications))

    def initialize(
        self, capabilities: Json | None = None, options: Json | None = None, folder: Path | None = None
    ) -> Json:
        """Begin the session as a client that has ghost text and shows progress, in a workspace folder or in none."""
        defaults = {"window": {"workDoneProgress": True}, "textDocument": {"inlineCompletion": {}}}
        params: Json = {"processId": None, "rootUri": None, "capabilities": capabilities or defaults}
        if folder is not None:
            params["workspaceFolders"] = [{"uri": folder.as_uri(), "name": folder.name}]
        answer = self.request(0, "initialize", {**params, "initializationOptions": options})
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

    def close_stdin(self) -> None:
        """Close the server's input, as the end of the client does."""
        with contextlib.suppress(BrokenPipeError):  # the server may be gone already
            self._stdin.close()

    def wait(self, seconds: float = PATIENCE) -> int:
        """Wait for the server to end; return its exit code."""
        return self.process.wait(seconds)

    def stderr(self) -> str:
        """Return what the server has logged so far."""
        return self._stderr.read_text(errors="replace")

    def resident_bytes(self) -> int:
        """Return the memory the server holds."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def _wait_for(self, arrived: Callable[[], bool], what: str) -> None:
        self._arrival.wait_for(lambda: arrived() or self._ended, PATIENCE)
        assert arrived(), f"no {what}; the server's log:\n{self.stderr()}"

    def _read(self) -> None:
        while message := self._read_message():
            with self._arrival:
                if "method" not in message:
                    self._answers[message["id"]] = message
                elif "id" not in message:
                    self.notifications.append(message)
                self._arrival.notify_all()
            if "method" in message and "id" in message:
                with contextlib.suppress(OSError, ValueError):  # this client may just be pretending to be killed
                    self.send(id=message["id"], result=None)
        with self._arrival:
            self._ended = True
            self._arrival.notify_all()

    def _read_message(self) -> Json | None:
        length = 0
        while (header := self._stdout.readline()) not in (b"", b"\r\n"):
            name, _, value = header.partition(b":")
            if name == b"Content-Length":
                length = int(value)
        body = self._stdout.read(length) if header else b""
        return json.loads(body) if body else None


def ghost_text_at(line: int, character: int, uri: str = URI) -> Json:
    """Make the params of a request for ghost text."""
    return {
        "textDocument": {"uri": uri},
        "position": {"line": line, "character": character},
        "context": {"triggerKind": 2},
    }
