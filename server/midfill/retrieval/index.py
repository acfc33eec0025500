"""The workspace index as the server uses it: a child process that receives changes and lookup requests.

If the child dies, it is restarted once. After that every answer is empty, and the server continues without an index.
"""

from __future__ import annotations

import itertools
import logging
import os
import queue
import subprocess
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from pathlib import Path

from midfill.common import background
from midfill.common.child_programs import python_module
from midfill.retrieval import ipc
from midfill.retrieval.lookup import Candidate, LookupRequest, to_message

_MAX_RESTARTS = 1
_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    # With fixed thresholds glibc returns large freed blocks to the system: 154 MB instead of 274 MB
    "MALLOC_MMAP_THRESHOLD_": "262144",
    "MALLOC_TRIM_THRESHOLD_": "1048576",
}
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class IndexState:
    """The progress of the index."""

    files: int = 0
    """Number of indexed files."""
    fraction: float = 0.0
    """Share of the found files that have been read, from 0 to 1; also during a later scan for changes."""
    done: bool = False
    """Whether nothing is left to do, or the index is not available any more."""


OnProgress = Callable[[IndexState], None]


class WorkspaceIndex:
    """Starts to build itself in the background when it is created, and runs until it is closed."""

    def __init__(
        self, folders: Sequence[Path], patterns: Sequence[str] = (), on_progress: OnProgress = lambda _: None
    ) -> None:
        """Start to index ``folders`` without the files that ``patterns`` or other ignore rules exclude.

        See :class:`midfill.privacy.ignore_rules.IgnoreRules`. ``on_progress`` is called from a thread of the index,
        several times a second while the index is built.
        """
        self._setup: ipc.Message = {"folders": [str(folder) for folder in folders], "patterns": list(patterns)}
        self._on_progress = on_progress
        self._numbers = itertools.count()
        self._waiting: dict[int, Future[list[Candidate]]] = {}
        self._lock = threading.Lock()
        self._restarts_left = _MAX_RESTARTS
        self._closed = False
        self.state = IndexState()
        self.generation = 0
        """A number that grows when the same request may get another answer; it does not grow during a scan."""
        self._outbox: queue.SimpleQueue[ipc.Message | None] = queue.SimpleQueue()
        self._process: subprocess.Popen[bytes] | None = None
        if folders:
            self._start()
        else:
            self.state = IndexState(done=True)

    @property
    def pid(self) -> int | None:
        """The child's process id; None when no child runs."""
        return self._process.pid if self._process else None

    def look_up(self, request: LookupRequest) -> Future[list[Candidate]]:
        """Request candidates; the answer is [] when no child runs. Cancel the future when the request is superseded."""
        answer: Future[list[Candidate]] = Future()
        with self._lock:
            if self._process is None:
                answer.set_result([])
                return answer
            number = next(self._numbers)
            for other in [other for other, future in self._waiting.items() if future.cancelled()]:
                del self._waiting[other]
            self._waiting[number] = answer
        self._outbox.put({"do": "look up", "id": number, "request": to_message(request)})
        return answer

    def changed(self, paths: Iterable[Path]) -> None:
        """Report files or folders that were created, changed or deleted."""
        self._outbox.put({"do": "changed", "paths": [str(path) for path in paths]})

    def rescan(self) -> None:
        """Look for changes in all files."""
        self._outbox.put({"do": "rescan"})

    def stop_building(self) -> None:
        """Index no further files, but keep those that are indexed."""
        self._outbox.put({"do": "stop"})

    def close(self) -> None:
        """End the child; every open request is answered with []."""
        with self._lock:
            self._closed = True
            process, self._process = self._process, None
        if process is not None:
            process.kill()  # it has no data to save
            process.wait()
        self._outbox.put(None)
        self._answer_all_empty()

    def _start(self) -> None:
        """Start the child and the two threads that exchange messages with it; log a failure and continue without."""
        outbox: queue.SimpleQueue[ipc.Message | None] = queue.SimpleQueue()
        try:
            process = subprocess.Popen(  # noqa: S603 -- our own module in our own interpreter
                python_module("midfill.retrieval.worker"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, **_ENVIRONMENT},
                creationflags=background.creation_flags(),
            )
        except OSError as error:
            _log.warning("The workspace index cannot be started: %s", error)
            self.state = IndexState(done=True)
            return
        outbox.put(self._setup)
        self._outbox, self._process = outbox, process
        threading.Thread(target=_send, args=(process, outbox), name="midfill-index-out", daemon=True).start()
        threading.Thread(target=self._receive, args=(process,), name="midfill-index-in", daemon=True).start()

    def _receive(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None  # noqa: S101 -- Popen was given a pipe
        with process.stdout:
            while (message := ipc.read(process.stdout)) is not None:
                if "answer" in message:
                    self._answer(message)
                else:
                    self._progress(message)
        process.wait()
        self._ended()

    def _answer(self, message: ipc.Message) -> None:
        with self._lock:
            future = self._waiting.pop(message["answer"], None)
        if future is not None:
            _resolve(future, [Candidate(**candidate) for candidate in message["candidates"]])

    def _progress(self, message: ipc.Message) -> None:
        self.state = IndexState(message["files"], message["fraction"], message["done"])
        self.generation += message["done"] and message["changed"]
        self._on_progress(self.state)

    def _ended(self) -> None:
        """Restart the child the first time it ends, unless :meth:`close` ended it."""
        self._outbox.put(None)
        with self._lock:
            if self._closed:
                return
            self._process = None
            restart = self._restarts_left > 0
            self._restarts_left -= 1
            if restart:
                _log.warning("The workspace index has ended and is started again")
                self._start()
        self._answer_all_empty()
        if not restart:
            _log.warning("The workspace index has ended again; Midfill continues without it")
            self.state = IndexState(done=True)
            self._on_progress(self.state)

    def _answer_all_empty(self) -> None:
        with self._lock:
            futures, self._waiting = list(self._waiting.values()), {}
        for future in futures:
            _resolve(future, [])


def _resolve(future: Future[list[Candidate]], answer: list[Candidate]) -> None:
    try:
        future.set_result(answer)
    except InvalidStateError:
        return  # the future was cancelled


def _send(process: subprocess.Popen[bytes], outbox: queue.SimpleQueue[ipc.Message | None]) -> None:
    """Send messages to the child until it ends; in a separate thread, because writing to a full pipe blocks."""
    assert process.stdin is not None  # noqa: S101 -- Popen was given a pipe
    while (message := outbox.get()) is not None:
        try:
            ipc.write(process.stdin, message)
        except (OSError, ValueError):
            break
    try:
        process.stdin.close()
    except OSError:
        return
