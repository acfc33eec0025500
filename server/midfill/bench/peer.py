"""The peer is llama.cpp's ``llama-server``: this module starts it and talks to it over HTTP on the loopback interface.

Only ``midfill bench --peer`` imports this module; the language server never does.

``tools/server/README.md`` in https://github.com/ggml-org/llama.cpp documents the endpoints and fields. In its
``timings``, ``predicted_n`` includes the first token, but the time of that token is part of ``prompt_ms``.
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
from collections.abc import Generator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from midfill.bench import processes
from midfill.common.errors import BenchError
from midfill.common.os_errors import explain

Json = dict[str, Any]

NAME = "llama-server"
_HOST = "127.0.0.1"
_CONTEXT = 8192
_CACHE_REUSE = 64
"""Minimum number of tokens that are moved within the cache. With it, a keystroke does not make the server prefill the
text after the cursor again."""
_START_SECONDS = 300.0
_ANSWER_SECONDS = 300.0
_GREEDY = {"temperature": 0, "samplers": ["temperature"], "repeat_penalty": 1.0, "seed": 0}


class LlamaServer:
    """One server's process with one model; a context manager that ends it."""

    def __init__(self, binary: Path, model: Path, threads: int) -> None:
        """Start the server and wait until it is healthy.

        Raises:
            BenchError: the model's file is missing, or the server does not start.
        """
        if not model.is_file():
            raise BenchError(f"there is no {model} for {NAME}: run `midfill pull`, or name a GGUF with --peer-model.")
        self._port = _free_port()
        self.command = [
            *(str(binary), "-m", str(model), "-t", str(threads), "-c", str(_CONTEXT)),
            *("--cache-reuse", str(_CACHE_REUSE), "--host", _HOST, "--port", str(self._port)),
        ]
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the process)
        started = time.perf_counter()
        try:
            self._process = subprocess.Popen(  # noqa: S603 (the user chose the program)
                self.command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT
            )
        except OSError as error:
            self._log.close()
            raise BenchError(f"{binary} cannot be started: {explain(error)}.") from error
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
        """Return the command without the names of this machine's folders."""
        return " ".join(Path(word).name for word in self.command)

    @property
    def memory(self) -> processes.Memory:
        """The server's memory."""
        return processes.memory_of(self._process.pid)

    def prefill_speed(self, ids: Sequence[int]) -> float:
        """Return the tokens per second of a prefill of ``ids`` with an empty cache."""
        timings = self._complete(ids, keep_prompt=False)["timings"]
        return 1000 * float(timings["prompt_n"]) / float(timings["prompt_ms"])

    def decode_speed(self, ids: Sequence[int], count: int) -> float:
        """Return the tokens per second of decoding ``count`` tokens after ``ids`` and a first token."""
        timings = self._complete(ids, keep_prompt=True, tokens=count + 1)["timings"]
        return 1000 * (float(timings["predicted_n"]) - 1) / float(timings["predicted_ms"])

    def step_milliseconds(self, context: Sequence[int], new: Sequence[int]) -> float:
        """Return the time of a step that computes ``new`` after a cached ``context``.

        llama-server computes logits for the last token only.
        """
        self._complete(context, keep_prompt=True)
        return float(self._complete([*context, *new], keep_prompt=True)["timings"]["prompt_ms"])

    def first_token_milliseconds(self, ids: Sequence[int], *, keep_prompt: bool) -> float:
        """Return the wall-clock time from sending ``ids`` to an answer of one token."""
        started = time.perf_counter()
        self._complete(ids, keep_prompt=keep_prompt)
        return 1000 * (time.perf_counter() - started)

    def infill(self, sides: tuple[str, str], tokens: int, connection: Connection) -> Generator[Json]:
        """Yield the events of a fill-in-the-middle request, one a token, each with the timings so far.

        ``sides`` are the texts before and after the cursor.
        """
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
        """Open a connection for one request."""
        return Connection(self._port)

    def wait_until_idle(self) -> None:
        """Wait until the server computes nothing, also nothing for a withdrawn request."""
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
                code = self._process.returncode
                raise BenchError(f"{self.command[0]} ended with exit code {code}: {self._last_line()}")
            with contextlib.suppress(BenchError):
                self._get("/health")
                return
            time.sleep(0.02)
        raise BenchError(f"{self.command[0]} was not ready after {_START_SECONDS:.0f} s.")

    def _last_line(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it printed nothing"


class Connection:
    """A connection for one request. Another thread may shut it down."""

    def __init__(self, port: int) -> None:
        self._http = http.client.HTTPConnection(_HOST, port, timeout=_ANSWER_SECONDS)
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._is_shut_down = False

    def request(self, method: str, path: str, body: Json | None = None) -> Json:
        """Send a request and return its whole answer.

        Raises:
            BenchError: there is no answer, or it says that the request failed.
        """
        try:
            with contextlib.closing(self._send(method, path, body)) as response:
                answer: Json = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise BenchError(f"{NAME} did not answer {path}: {type(error).__name__}.") from error
        return answer

    def stream(self, path: str, body: Json) -> Generator[Json]:
        """Send a request and yield the server-sent events of its answer as they arrive.

        Raises:
            BenchError: as :meth:`request`, or the connection was shut down.
        """
        try:
            with contextlib.closing(self._send("POST", path, body)) as response:
                for line in response:
                    if line.startswith(b"data: {"):
                        yield json.loads(line.removeprefix(b"data: "))
            if self._is_shut_down:  # a connection that was shut down looks like the end of the answer
                raise ConnectionAbortedError
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise BenchError(f"{NAME} did not answer {path}: {type(error).__name__}.") from error

    def shut_down(self) -> None:
        """End the request; any thread may call this. The server notices it before its next token."""
        with self._lock, contextlib.suppress(OSError):  # the connection may have ended already
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
            response.close()
            raise BenchError(f"{NAME} answered {path} with {response.status} {response.reason}.")
        return response


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])
