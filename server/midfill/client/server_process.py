"""A language server as its client has it: a process over pipes, and the messages to and from it."""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from types import TracebackType
from typing import IO, Any

from midfill.common.errors import ServerEnded

Json = dict[str, Any]

SERVE = (sys.executable, "-m", "midfill", "serve")
_SHUTDOWN_SECONDS = 10.0


def nothing(_method: str, _params: Any) -> None:
    """Answer any request of the server's with null, as a client does that grants it to show progress."""


class ServerProcess:
    """One server's process; a context manager that ends it, in good order if it can."""

    def __init__(
        self,
        command: Sequence[str],
        log: IO[bytes],
        *,
        env: Mapping[str, str] | None = None,
        answer: Callable[[str, Any], Any] = nothing,
    ) -> None:
        """Start ``command``.

        Args:
            command: The server's program and its arguments.
            log: Takes what the server logs; open for appending and reading, and closed with the process.
            env: The server's environment; that of this process if there is none.
            answer: Called with the method and the params of each request of the server's; returns the result.
        """
        self._log = log
        self._answer = answer
        self.process = subprocess.Popen(  # noqa: S603 (our own server, but in tests)
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=env
        )
        assert self.process.stdin is not None  # noqa: S101 (for mypy: it is a pipe)
        assert self.process.stdout is not None  # noqa: S101
        self._stdin: IO[bytes] = self.process.stdin
        self._stdout: IO[bytes] = self.process.stdout
        self._sending = threading.Lock()
        self._numbers = itertools.count(1)
        self._asked: dict[object, Future[Json]] = {}
        self._arrival = threading.Condition()
        self._has_ended = False
        self.notifications: list[Json] = []
        """All that came, in order."""
        self._reader = threading.Thread(target=self._read, name="server-process", daemon=True)
        self._reader.start()

    def __enter__(self) -> ServerProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reader.is_alive():
            with contextlib.suppress(Exception):  # whatever keeps it from leaving, it must not stay
                self.request("shutdown", None).result(_SHUTDOWN_SECONDS)
                self.notify("exit", None)
                self.process.wait(_SHUTDOWN_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End the process at once."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self._stdout.close()
        self.close_stdin()
        self._log.close()

    def close_stdin(self) -> None:
        """Close the server's input, as the end of its client does."""
        with contextlib.suppress(OSError):  # the server may be gone already
            self._stdin.close()

    def request(self, method: str, params: Any, number: object = None) -> Future[Json]:
        """Send a request, by default with a number of its own; return its answer to come, a result or an error.

        The future fails with :class:`midfill.common.errors.ServerEnded` if the server ends before.

        Raises:
            ServerEnded: the server has ended.
        """
        answer: Future[Json] = Future()
        number = next(self._numbers) if number is None else number
        self._asked[number] = answer
        self.send(id=number, method=method, params=params)
        return answer

    def cancel(self, answer: Future[Json]) -> None:
        """Take back the request that an answer is waited for of, if it is not there yet; see :meth:`send`."""
        for number, asked in self._asked.copy().items():
            if asked is answer:
                self.notify("$/cancelRequest", {"id": number})

    def notify(self, method: str, params: Any) -> None:
        """Send a notification; see :meth:`send`."""
        self.send(method=method, params=params)

    def send(self, **message: Any) -> None:
        """Send one message.

        Raises:
            ServerEnded: the server has ended.
        """
        self.send_bytes(framed(json.dumps({"jsonrpc": "2.0", **message}).encode()))

    def send_bytes(self, data: bytes) -> None:
        """Send anything; see :meth:`send`."""
        with self._sending:
            try:
                self._stdin.write(data)
                self._stdin.flush()
            except (OSError, ValueError) as error:  # ValueError: this side is closed
                raise self._ended() from error

    def wait_for_notification(self, is_it: Callable[[Json], bool], seconds: float) -> Json:
        """Return the first notification, of those that came or come, for which ``is_it`` is true.

        Raises:
            ServerEnded: the server ended before.
            TimeoutError: none came in time.
        """

        def found() -> Json | None:
            return next(filter(is_it, self.notifications), None)

        with self._arrival:
            self._arrival.wait_for(lambda: found() or self._has_ended, seconds)
            notification = found()
        if notification is None:
            raise self._ended() if self._has_ended else TimeoutError
        return notification

    def _read(self) -> None:
        while message := _read_message(self._stdout):
            if "method" not in message:
                answer = self._asked.pop(message.get("id"), None)
                if answer is not None:
                    answer.set_result(message)
            elif "id" in message:
                with contextlib.suppress(ServerEnded):  # this side may just be pretending to be killed
                    self.send(id=message["id"], result=self._answer(message["method"], message.get("params")))
            else:
                with self._arrival:
                    self.notifications.append(message)
                    self._arrival.notify_all()
        with self._arrival:
            self._has_ended = True
            self._arrival.notify_all()
        for waiting in self._asked.copy().values():
            waiting.set_exception(self._ended())

    def _ended(self) -> ServerEnded:
        lines = []
        with contextlib.suppress(ValueError):  # it was closed from here
            self._log.seek(0)
            lines = self._log.read().decode(errors="replace").strip().splitlines()
        return ServerEnded(f"the language server ended early: {lines[-1] if lines else 'it logged nothing'}")


def framed(body: bytes) -> bytes:
    """Put the header before the body of a message."""
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def result_of(answer: Future[Json], seconds: float) -> Any:
    """Wait for an answer; return its result, None where the request was refused.

    Raises:
        ServerEnded: the server ended before.
        TimeoutError: there was no answer in time.
    """
    try:
        return answer.result(seconds).get("result")
    except FutureTimeout as error:  # which is TimeoutError itself from Python 3.11 on
        raise TimeoutError from error


def _read_message(stream: IO[bytes]) -> Json | None:
    length = 0
    while (header := stream.readline()) not in (b"", b"\r\n"):
        name, _, value = header.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    body = stream.read(length) if header else b""
    return json.loads(body) if body else None
