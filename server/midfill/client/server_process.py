"""A language server as a process: starts it, and exchanges messages with it over pipes."""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from types import TracebackType
from typing import IO, Any

from midfill.client.framing import Json, framed, read_messages
from midfill.common.child_programs import python_module
from midfill.common.errors import ServerEnded

SERVE = tuple(python_module("midfill", "serve"))
"""The command that starts Midfill's own server."""
_SHUTDOWN_SECONDS = 10.0


def answer_null(_method: str, _params: Any) -> None:
    """Answer any request of the server with null. That lets the server show progress, for example."""


class ServerProcess:
    """The process of one server. As a context manager it shuts the server down, and kills it if that fails."""

    def __init__(
        self,
        command: Sequence[str],
        log: IO[bytes],
        *,
        env: Mapping[str, str] | None = None,
        answer: Callable[[str, Any], Any] = answer_null,
    ) -> None:
        """Start ``command``.

        Args:
            command: the server's program and its arguments.
            log: the file for the server's standard error. It must be open for appending and reading, and is closed
                when the process ends.
            env: the server's environment; None for that of this process.
            answer: called with the method and the params of each request from the server; returns the result. It runs
                in the thread that reads messages.
        """
        self._log = log
        self._answer = answer
        self.process = subprocess.Popen(  # noqa: S603 (the command is ours or a test's)
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=env
        )
        assert self.process.stdin is not None  # noqa: S101 (for mypy: it is a pipe)
        assert self.process.stdout is not None  # noqa: S101
        self._stdin: IO[bytes] = self.process.stdin
        self._stdout: IO[bytes] = self.process.stdout
        self._sending = threading.Lock()
        self._numbers = itertools.count(1)
        self._pending: dict[object, Future[Json]] = {}
        """The requests without an answer, by their ids."""
        self._arrival = threading.Condition()
        self._has_ended = False
        self.notifications: list[Json] = []
        """All notifications from the server, in order."""
        self.strays: list[Json] = []
        """All answers that belong to no request that waits."""
        self._reader = threading.Thread(target=self._read, name="server-process", daemon=True)
        self._reader.start()

    def __enter__(self) -> ServerProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reader.is_alive():
            with contextlib.suppress(Exception):  # whatever goes wrong here, the process is killed below
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
        """Close the server's standard input, as when the client ends."""
        with contextlib.suppress(OSError):  # the server may have ended already
            self._stdin.close()

    def request(self, method: str, params: Any, number: object = None) -> Future[Json]:
        """Send a request; return a future for the whole answer, which has a "result" or an "error".

        The future fails with :class:`midfill.common.errors.ServerEnded` if the server ends before it answers.

        Args:
            method: the request's method.
            params: the request's params.
            number: the request's id; None for a new number.

        Raises:
            ServerEnded: the server has ended.
        """
        answer: Future[Json] = Future()
        number = next(self._numbers) if number is None else number
        self._pending[number] = answer
        self.send(id=number, method=method, params=params)
        return answer

    def cancel(self, answer: Future[Json]) -> None:
        """Cancel the request whose future is ``answer``, unless it was answered already; see :meth:`send`."""
        for number, pending in self._pending.copy().items():
            if pending is answer:
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
        """Send any bytes; see :meth:`send`."""
        with self._sending:
            try:
                self._stdin.write(data)
                self._stdin.flush()
            except (OSError, ValueError) as error:  # ValueError: this side is closed
                raise self._ended() from error

    def wait_for_notification(self, is_it: Callable[[Json], bool], seconds: float) -> Json:
        """Return the first notification for which ``is_it`` is true, also if it came before; wait up to ``seconds``.

        Raises:
            ServerEnded: the server ended before it came.
            TimeoutError: it did not come in time.
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
        for message in read_messages(self._stdout):
            if "method" not in message:
                answer = self._pending.pop(message.get("id"), None)
                if answer is None:
                    self.strays.append(message)
                else:
                    answer.set_result(message)
            elif "id" in message:
                with contextlib.suppress(ServerEnded):  # the server may have ended, or a test closed its input
                    self.send(id=message["id"], result=self._answer(message["method"], message.get("params")))
            else:
                with self._arrival:
                    self.notifications.append(message)
                    self._arrival.notify_all()
        with self._arrival:
            self._has_ended = True
            self._arrival.notify_all()
        for answer in self._pending.copy().values():
            answer.set_exception(self._ended())

    def _ended(self) -> ServerEnded:
        lines = []
        with contextlib.suppress(ValueError):  # kill() has closed the log
            self._log.seek(0)
            lines = self._log.read().decode(errors="replace").strip().splitlines()
        return ServerEnded(f"the language server ended early: {lines[-1] if lines else 'it logged nothing'}")


def result_of(answer: Future[Json], seconds: float) -> Any:
    """Wait for an answer; return its result, or None if it is an error.

    Raises:
        ServerEnded: the server ended before it answered.
        TimeoutError: there was no answer in time.
    """
    try:
        return answer.result(seconds).get("result")
    except FutureTimeout as error:  # which is TimeoutError itself from Python 3.11 on
        raise TimeoutError from error
