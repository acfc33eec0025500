"""The peer to measure beside: llama.cpp's ``llama-server``, started here and asked over HTTP on the loopback interface.

Only ``midfill bench --peer`` imports this module; the language server never does.

Endpoints and fields are those of ``tools/server/README.md`` in https://github.com/ggml-org/llama.cpp. Its
``timings`` count the first token among ``predicted_n``, but its time in ``prompt_ms``.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from midfill import postprocess
from midfill.bench import processes
from midfill.bench.scenes import Scene
from midfill.bench.sides import Sides
from midfill.context import Context, gather
from midfill.errors import BenchError
from midfill.settings import Settings

Json = dict[str, Any]

NAME = "llama-server"
_HOST = "127.0.0.1"
_CONTEXT = 8192
_CACHE_REUSE = 64
"""Least tokens that are moved within the cache, so that a suffix after the cursor is not read again at every key."""
_START_SECONDS = 300.0
_ANSWER_SECONDS = 300.0
_GREEDY = {"temperature": 0, "samplers": ["temperature"], "repeat_penalty": 1.0, "seed": 0}


@dataclass
class Written:
    """A suggestion, and what it took to write it, kept up to date while it comes in."""

    text: str = ""
    prompt_tokens: int = 0
    """Read, without those found in the cache."""
    tokens: int = 0
    seconds: float = 0.0
    """For all tokens but the first."""


class LlamaServer:
    """One server's process with one model; a context manager that ends it."""

    def __init__(self, binary: Path, model: Path, threads: int) -> None:
        """Start the server and wait until it is healthy.

        Raises:
            BenchError: the model's file is missing, or the server does not start.
        """
        if not model.is_file():
            raise BenchError(f"there is no {model} for {NAME}: run `midfill pull`, or name the GGUF by --peer-model.")
        self._port = _free_port()
        self.command = [
            *(str(binary), "-m", str(model), "-t", str(threads), "-c", str(_CONTEXT)),
            *("--cache-reuse", str(_CACHE_REUSE), "--host", _HOST, "--port", str(self._port)),
        ]
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the process)
        started = time.perf_counter()
        try:
            self._process = subprocess.Popen(  # noqa: S603 (the user named it)
                self.command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT
            )
        except OSError as error:
            self._log.close()
            raise BenchError(f"{binary} cannot be started: {error.strerror}.") from error
        try:
            self._wait_until_healthy()
            self.load_seconds = time.perf_counter() - started
            self.build = str(self._get("/props").get("build_info", "unknown"))
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> LlamaServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server."""
        processes.end(self._process.pid)
        self._process.wait()
        self._log.close()

    def describe(self) -> str:
        """Return the command without the folders of this machine."""
        return " ".join(Path(word).name for word in self.command)

    @property
    def resident_bytes(self) -> int:
        """Memory the server holds."""
        return processes.resident_bytes(self._process.pid)

    def prefill_speed(self, ids: Sequence[int]) -> float:
        """Return tokens a second of reading ``ids``, nothing of them known."""
        timings = self._complete(ids, keep_prompt=False)["timings"]
        return 1000 * float(timings["prompt_n"]) / float(timings["prompt_ms"])

    def decode_speed(self, ids: Sequence[int], count: int) -> float:
        """Return tokens a second of writing ``count`` tokens after ``ids`` and a first token."""
        timings = self._complete(ids, keep_prompt=True, tokens=count + 1)["timings"]
        return 1000 * (float(timings["predicted_n"]) - 1) / float(timings["predicted_ms"])

    def step_milliseconds(self, context: Sequence[int], new: Sequence[int]) -> float:
        """Return the time of reading ``new`` after a ``context`` that is known."""
        self._complete(context, keep_prompt=True)
        return float(self._complete([*context, *new], keep_prompt=True)["timings"]["prompt_ms"])

    def first_token_milliseconds(self, ids: Sequence[int], *, keep_prompt: bool) -> float:
        """Return the time from sending ``ids`` to the answer of one token, by the clock on the wall."""
        started = time.perf_counter()
        self._complete(ids, keep_prompt=keep_prompt)
        return 1000 * (time.perf_counter() - started)

    def infill(self, sides: tuple[str, str], tokens: int, connection: Connection) -> Iterator[Json]:
        """Yield the events of filling in between two texts, token by token, with the timings so far."""
        body = {
            "input_prefix": sides[0],
            "input_suffix": sides[1],
            "n_predict": tokens,
            "cache_prompt": True,
            "stream": True,
            "timings_per_token": True,
            **_GREEDY,
        }
        return connection.stream("/infill", body)

    def connect(self) -> Connection:
        """Open a connection of one request."""
        return Connection(self._port)

    def wait_until_idle(self) -> None:
        """Wait until a request that was withdrawn is computed no longer."""
        processes.wait_until_idle(self._process.pid)

    def _complete(self, ids: Sequence[int], *, keep_prompt: bool, tokens: int = 1) -> Json:
        body = {"prompt": list(ids), "n_predict": tokens, "cache_prompt": keep_prompt, "ignore_eos": True, **_GREEDY}
        with contextlib.closing(self.connect()) as connection:
            return connection.request("POST", "/completion", body)

    def _get(self, path: str) -> Json:
        with contextlib.closing(self.connect()) as connection:
            return connection.request("GET", path)

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise BenchError(f"{self.command[0]} ended with code {self._process.returncode}: {self._last_words()}")
            with contextlib.suppress(BenchError):
                self._get("/health")
                return
            time.sleep(0.02)
        raise BenchError(f"{self.command[0]} was not ready after {_START_SECONDS:.0f} s.")

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


class Connection:
    """A connection for one request, which another thread may shut down."""

    def __init__(self, port: int) -> None:
        self._http = http.client.HTTPConnection(_HOST, port, timeout=_ANSWER_SECONDS)
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._is_shut_down = False

    def request(self, method: str, path: str, body: Json | None = None) -> Json:
        """Return the whole answer.

        Raises:
            BenchError: there is none, or it says that the request failed.
        """
        try:
            answer: Json = json.loads(self._send(method, path, body).read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise BenchError(f"{NAME} did not answer {path}: {type(error).__name__}.") from error
        return answer

    def stream(self, path: str, body: Json) -> Iterator[Json]:
        """Yield the server-sent events of an answer as they come; stops when the connection is shut down.

        Raises:
            BenchError: as :meth:`request`.
        """
        try:
            for line in self._send("POST", path, body):
                if line.startswith(b"data: {"):
                    yield json.loads(line.removeprefix(b"data: "))
            if self._is_shut_down:  # which looks like the end
                raise ConnectionAbortedError
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise BenchError(f"{NAME} did not answer {path}: {type(error).__name__}.") from error

    def shut_down(self) -> None:
        """End the request from any thread: the server sees it before its next token."""
        with self._lock, contextlib.suppress(OSError):  # it may have ended already
            self._is_shut_down = True
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _send(self, method: str, path: str, body: Json | None) -> http.client.HTTPResponse:
        self._http.connect()
        with self._lock:
            if self._is_shut_down:
                raise ConnectionAbortedError
            self._socket = self._http.sock
        headers = {"Content-Type": "application/json", "Connection": "close"}
        self._http.request(method, path, None if body is None else json.dumps(body), headers)
        response = self._http.getresponse()
        if response.status != http.client.OK:
            raise BenchError(f"{NAME} answered {path} with {response.status} {response.reason}.")
        return response


class PeerTyping:
    """The peer as :class:`midfill.bench.replay.Suggester`, given what ours gets and stopped where ours stops.

    The prompt's two sides are cut as ours, the text is watched while it streams in and ended by the same stops, and
    the same filters go over it; so what differs is the engine.
    """

    def __init__(self, server: LlamaServer, sides: Sides, settings: Settings) -> None:
        self._server = server
        self._sides = sides
        self._settings = settings
        self._text = ""
        self._thread: threading.Thread | None = None
        self._connection: Connection | None = None
        self._past = 0
        self._written = Written()

    @property
    def tokens_computed(self) -> int:
        """See :attr:`midfill.bench.replay.Suggester.tokens_computed`; without what a withdrawn prefill had done."""
        return self._past + self._written.prompt_tokens + max(self._written.tokens - 1, 0)

    def open(self, scene: Scene) -> None:
        """See :meth:`midfill.bench.replay.Suggester.open`."""
        self._text = scene.text

    def type(self, offset: int, text: str) -> Future[str]:
        """See :meth:`midfill.bench.replay.Suggester.type`."""
        self._text = self._text[:offset] + text + self._text[offset:]
        document, offset = self._text, offset + len(text)
        suggestion: Future[str] = Future()
        written, connection = Written(), self._server.connect()
        self._past = self.tokens_computed
        self._written, self._connection = written, connection

        def work() -> None:
            try:
                self._write(document, offset, written, connection)
                suggestion.set_result(written.text)
            except BaseException as error:  # for whoever waits
                suggestion.set_exception(error)
            finally:
                connection.close()

        self._thread = threading.Thread(target=work, name="bench-peer", daemon=True)
        self._thread.start()
        return suggestion

    def withdraw(self) -> None:
        """See :meth:`midfill.bench.replay.Suggester.withdraw`."""
        if self._connection is not None:
            self._connection.shut_down()
        if self._thread is not None:
            self._thread.join()

    def close(self) -> None:
        """See :meth:`midfill.bench.replay.Suggester.close`."""
        self._server.wait_until_idle()

    def complete(self, text: str, offset: int) -> Written:
        """Fill in at a place to the end."""
        written = Written()
        with contextlib.closing(self._server.connect()) as connection:
            self._write(text, offset, written, connection)
        return written

    def _write(self, text: str, offset: int, written: Written, connection: Connection) -> None:
        context = gather(text, offset)
        max_lines = 1 if context.wants_one_line else self._settings.max_lines
        streamed = ""
        for event in self._server.infill(self._sides.of(context), self._settings.max_tokens, connection):
            timings = event.get("timings", {})
            written.prompt_tokens = timings.get("prompt_n", written.prompt_tokens)
            written.tokens = timings.get("predicted_n", written.tokens)
            written.seconds = timings.get("predicted_ms", 1000 * written.seconds) / 1000
            streamed += event.get("content", "")
            text_so_far = postprocess.trim_start(streamed, context)
            if (end := postprocess.find_stop(text_so_far, context, max_lines)) is not None:
                written.text = _filtered(text_so_far[:end], context)
                return
        written.text = _filtered(postprocess.trim_start(streamed, context), context)


def _filtered(text: str, context: Context) -> str:
    text = postprocess.trim(text, context)
    return "" if postprocess.reason_to_drop(text, context) else text


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])
