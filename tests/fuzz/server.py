"""The real server with a tiny model, as a process that can be sent anything, asked whether it lives, and replaced."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
from pathlib import Path
from typing import IO, Any

import psutil

from midfill.client.framing import framed
from midfill.client.server_process import SERVE

PROBE = "file:///work/probe.py"
_STARTUP_SECONDS = 120.0
_HEADER_PROBES = 8
"""Probes after which a wrong length has certainly had its bytes."""


class FuzzedServer:
    """One server at a time; a context manager that kills it."""

    def __init__(self, bundle: Path, folder: Path, patience: float) -> None:
        """Start nothing yet.

        Args:
            bundle: a tiny bundle.
            folder: for the server's cache, its log and its workspace.
            patience: seconds after which a request counts as unanswered.
        """
        self._environment = {
            **os.environ,
            "MIDFILL_BUNDLE": str(bundle),
            "MIDFILL_CACHE": str(folder / "cache"),
            "MIDFILL_CONFIG": str(folder / "own.toml"),
        }
        (folder / "own.toml").write_text("shareEngine = false\n")  # the index must be the server's child
        self._folder = folder
        self.patience = patience
        self._process: subprocess.Popen[bytes] | None = None
        self._arrival = threading.Condition()
        self._answers: dict[object, Any] = {}
        self._ended = True
        self._probes = 0

    def __enter__(self) -> FuzzedServer:
        self.restart()
        return self

    def __exit__(self, *_: object) -> None:
        self._kill()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The server's process."""
        assert self._process is not None
        return self._process

    def restart(self) -> None:
        """Start the server, in place of the one before."""
        self._kill()
        self._answers, self._ended = {}, False
        log = (self._folder / "server.log").open("ab")
        self._process = subprocess.Popen(
            SERVE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=self._environment
        )
        log.close()
        threading.Thread(target=self._read, args=(self._process,), daemon=True).start()
        capabilities = {
            "textDocument": {"inlineCompletion": {}, "completion": {}},
            "workspace": {"applyEdit": True, "workspaceFolders": True, "didChangeWatchedFiles": {}},
        }
        options = {"minConfidence": 0, "deadlineMs": 2_000, "maxTokens": 8, "contextTokens": 256, "cacheMegabytes": 1}
        params = {"processId": None, "rootUri": None, "capabilities": capabilities, "initializationOptions": options}
        self.ask("fuzz-initialize", "initialize", params)
        assert self.answer("fuzz-initialize", _STARTUP_SECONDS) is not None, "the server does not start"
        self.notify("initialized", {})
        document = {"uri": PROBE, "languageId": "python", "version": 1, "text": "def f(a):\n    return \n"}
        self.notify("textDocument/didOpen", {"textDocument": document})
        assert self.probe(_STARTUP_SECONDS), "the server does not answer"

    def send(self, data: bytes) -> None:
        """Send any bytes; nothing happens if the server has ended."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self.process.stdin.write(data)
            self.process.stdin.flush()

    def ask(self, number: object, method: str, params: Any) -> None:
        """Send a request."""
        self.send(framed(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode()))

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self.send(framed(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode()))

    def answer(self, number: object, seconds: float) -> Any:
        """Return the answer to a request; None if there is none in time."""
        with self._arrival:
            self._arrival.wait_for(lambda: number in self._answers or self._ended, seconds)
            return self._answers.pop(number, None)

    def probe(self, seconds: float) -> bool:
        """Return whether an ordinary request is answered in time."""
        self._probes += 1
        number = f"probe-{self._probes}"
        place = {"textDocument": {"uri": PROBE}, "position": {"line": 1, "character": 11}}
        self.ask(number, "textDocument/inlineCompletion", {**place, "context": {"triggerKind": 2}})
        return self.answer(number, seconds) is not None

    def recovers(self) -> bool:
        """Return whether one of several ordinary requests is answered: a wrong length may take in the first ones."""
        return any(self.probe(self.patience / _HEADER_PROBES) for _ in range(_HEADER_PROBES)) or self.probe(
            self.patience
        )

    def has_ended(self) -> bool:
        """Return whether the process is gone."""
        return self.process.poll() is not None

    def forget_answers(self) -> None:
        """Drop answers that nobody waits for, as those to ids that a mutation has made."""
        with self._arrival:
            self._answers.clear()

    def own_memory(self) -> float:
        """Return the bytes that are the server's own, without its index, which may still be starting."""
        return float(psutil.Process(self.process.pid).memory_full_info().uss)

    def index(self) -> psutil.Process | None:
        """Return the index's process, if there is one."""
        with contextlib.suppress(psutil.Error):
            return next(iter(psutil.Process(self.process.pid).children()), None)
        return None

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with contextlib.suppress(OSError, ValueError):
            while message := _message(process.stdout):
                if "method" in message and "id" in message:
                    self.send(framed(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": None}).encode()))
                elif "method" not in message:
                    with self._arrival:
                        number = message.get("id")
                        self._answers[number if isinstance(number, (int, str)) else None] = message
                        self._arrival.notify_all()
        with self._arrival:
            if process is self._process:
                self._ended = True
                self._arrival.notify_all()

    def _kill(self) -> None:
        if self._process is not None:
            index = self.index()
            self._process.kill()
            self._process.wait()
            if index is not None:
                with contextlib.suppress(psutil.Error):  # it goes with its server, unless it is stuck
                    index.kill()
            for stream in (self._process.stdin, self._process.stdout):
                with contextlib.suppress(OSError, ValueError):
                    assert stream is not None
                    stream.close()


def _message(stream: IO[bytes]) -> Any:
    """Read one message of the server, which frames them well; None at the end."""
    length = 0
    while (header := stream.readline()) not in (b"", b"\r\n"):
        if header.startswith(b"Content-Length: "):
            length = int(header.split()[1])
    return json.loads(stream.read(length)) if header else None
