"""The index of a workspace, as the server sees it: a child process that is told of changes and asked questions.

Nothing here waits longer than it is told to. If the child dies it is started again once; after that, answers are
empty and the server goes on without.
"""

from __future__ import annotations

import itertools
import logging
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from pathlib import Path

import midfill
from midfill.retrieval import ipc
from midfill.retrieval.lookup import Candidate, LookupRequest, to_message

_RESTARTS = 1
_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    # glibc gives large blocks back when they are freed, instead of learning to keep them: 154 MB instead of 274
    "MALLOC_MMAP_THRESHOLD_": "262144",
    "MALLOC_TRIM_THRESHOLD_": "1048576",
}
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class IndexState:
    """How far the index is."""

    files: int = 0
    fraction: float = 0.0
    """Of the files found, from 0 to 1; also while changes are looked for later."""
    done: bool = False
    """Whether there is nothing left to do, or the index is not available any more."""


OnProgress = Callable[[IndexState], None]
Found = list[Candidate]


class WorkspaceIndex:
    """Built in the background from its making on, until it is closed."""

    def __init__(
        self, folders: Sequence[Path], patterns: Sequence[str] = (), on_progress: OnProgress = lambda _: None
    ) -> None:
        """Start to index ``folders`` without what ``patterns`` exclude; see :class:`midfill.privacy.ignore.Ignore`.

        ``on_progress`` is called from a thread of the index, several times a second while there is something to do.
        """
        self._setup: ipc.Message = {"folders": [str(folder) for folder in folders], "patterns": list(patterns)}
        self._on_progress = on_progress
        self._numbers = itertools.count()
        self._waiting: dict[int, Future[Found]] = {}
        self._lock = threading.Lock()
        self._restarts_left = _RESTARTS
        self._closed = False
        self.state = IndexState()
        self.generation = 0
        """A number that grows when answers may have changed, but for progress while building."""
        self._outbox: queue.SimpleQueue[ipc.Message | None] = queue.SimpleQueue()
        self._process: subprocess.Popen[bytes] | None = None
        if folders:
            self._start()
        else:
            self.state = IndexState(done=True)

    @property
    def pid(self) -> int | None:
        """The child's process id, None when there is none."""
        return self._process.pid if self._process else None

    def ask(self, question: LookupRequest) -> Future[Found]:
        """Ask for candidates; the answer is [] when there is no index. Cancel what is not wanted any more."""
        answer: Future[Found] = Future()
        with self._lock:
            if self._process is None:
                answer.set_result([])
                return answer
            number = next(self._numbers)
            for other in [other for other, future in self._waiting.items() if future.cancelled()]:
                del self._waiting[other]
            self._waiting[number] = answer
        self._outbox.put({"do": "ask", "id": number, "question": to_message(question)})
        return answer

    def changed(self, paths: Iterable[Path]) -> None:
        """Tell of files or folders that were made, changed or deleted."""
        self._outbox.put({"do": "changed", "paths": [str(path) for path in paths]})

    def rescan(self) -> None:
        """Look at all files again."""
        self._outbox.put({"do": "rescan"})

    def stop_building(self) -> None:
        """Do not go on with building, but keep what there is."""
        self._outbox.put({"do": "stop"})

    def close(self) -> None:
        """End the child; answers not yet given are []."""
        with self._lock:
            self._closed = True
            process, self._process = self._process, None
        if process is not None:
            process.kill()  # it has nothing to lose
            process.wait()
        self._outbox.put(None)
        self._give_up()

    def _start(self) -> None:
        """Start the child and the two threads that talk to it; without, when it cannot be started."""
        outbox: queue.SimpleQueue[ipc.Message | None] = queue.SimpleQueue()
        command = [sys.executable, "-m", "midfill.retrieval.worker"]
        try:
            process = subprocess.Popen(  # noqa: S603 -- our own module in our own interpreter
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=Path(midfill.__file__).parent.parent,  # or `-m` would import from the folder somebody works in
                env={**os.environ, **_ENVIRONMENT},
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
        assert process.stdout is not None  # noqa: S101 -- a pipe, as asked for
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
        """Start the child again, if it was not us who ended it and it is the first time."""
        self._outbox.put(None)
        with self._lock:
            if self._closed:
                return
            self._process = None
            again = self._restarts_left > 0
            self._restarts_left -= 1
            if again:
                _log.warning("The workspace index has ended and is started again")
                self._start()
        self._give_up()
        if not again:
            _log.warning("The workspace index has ended again; going on without")
            self.state = IndexState(done=True)
            self._on_progress(self.state)

    def _give_up(self) -> None:
        with self._lock:
            futures, self._waiting = list(self._waiting.values()), {}
        for future in futures:
            _resolve(future, [])


def _resolve(future: Future[Found], answer: Found) -> None:
    try:
        future.set_result(answer)
    except InvalidStateError:
        return  # cancelled: nobody wants it any more


def _send(process: subprocess.Popen[bytes], outbox: queue.SimpleQueue[ipc.Message | None]) -> None:
    """Hand messages to the child, until it is gone; in a thread of its own, for a pipe may be full."""
    assert process.stdin is not None  # noqa: S101 -- a pipe, as asked for
    while (message := outbox.get()) is not None:
        try:
            ipc.write(process.stdin, message)
        except (OSError, ValueError):
            break
    try:
        process.stdin.close()
    except OSError:
        return
