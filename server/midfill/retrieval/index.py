"""The workspace index as the server uses it: another process that receives changes and lookup requests.

If that process ends, another one is started, once. After that every answer is empty, and the server continues without
an index.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from pathlib import Path

from midfill.retrieval import ipc
from midfill.retrieval.index_link import IndexLink, LinkBroken, open_link
from midfill.retrieval.lookup import Candidate, LookupRequest, to_message

_MAX_RESTARTS = 1
_log = logging.getLogger(__name__)
_Outbox = queue.SimpleQueue[ipc.Message | None]


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
        self,
        folders: Sequence[Path],
        patterns: Sequence[str] = (),
        on_progress: OnProgress = lambda _: None,
        *,
        shared: bool = False,
    ) -> None:
        """Start to index ``folders`` without the files that ``patterns`` or other ignore rules exclude.

        See :class:`midfill.privacy.ignore_rules.IgnoreRules`. ``on_progress`` is called from a thread of the index,
        several times a second while the index is built. With ``shared``, servers that would have the same index use
        one process.
        """
        self._setup: ipc.Message = {"folders": [str(folder) for folder in folders], "patterns": list(patterns)}
        self._shared = shared
        self._on_progress = on_progress
        self._numbers = itertools.count()
        self._waiting: dict[int, Future[list[Candidate]]] = {}
        self._lock = threading.Lock()
        self._restarts_left = _MAX_RESTARTS
        self._closed = False
        self.state = IndexState()
        self.generation = 0
        """A number that grows when the same request may get another answer; it does not grow during a scan."""
        self._outbox: _Outbox | None = None
        """What is to be sent; None when there is no process and none is being started."""
        self._link: IndexLink | None = None
        if folders:
            self._start()
        else:
            self.state = IndexState(done=True)

    @property
    def pid(self) -> int | None:
        """The process id of the index's process; None when there is none, or none yet."""
        return self._link.pid if self._link else None

    def look_up(self, request: LookupRequest) -> Future[list[Candidate]]:
        """Request candidates; the answer is [] without a process. Cancel the future when the request is superseded."""
        return self._ask({"do": "look up", "request": to_message(request)})

    def look_around(self, request: LookupRequest, name: str) -> Future[list[Candidate]]:
        """Request candidates for an action; see :func:`midfill.retrieval.related_code.related`.

        It neither supersedes a request for a suggestion nor is superseded by one.
        """
        return self._ask({"do": "look around", "request": to_message(request), "name": name})

    def _ask(self, message: ipc.Message) -> Future[list[Candidate]]:
        answer: Future[list[Candidate]] = Future()
        with self._lock:
            if self._outbox is None:
                answer.set_result([])
                return answer
            number = next(self._numbers)
            for other in [other for other, future in self._waiting.items() if future.cancelled()]:
                del self._waiting[other]
            self._waiting[number] = answer
            self._outbox.put({**message, "id": number})
        return answer

    def changed(self, paths: Iterable[Path]) -> None:
        """Report files or folders that were created, changed or deleted."""
        self._put({"do": "changed", "paths": [str(path) for path in paths]})

    def rescan(self) -> None:
        """Look for changes in all files."""
        self._put({"do": "rescan"})

    def stop_building(self) -> None:
        """Index no further files, but keep those that are indexed; also for the other servers that share the index."""
        self._put({"do": "stop"})

    def close(self) -> None:
        """Leave the process, which ends if it was only ours; every open request is answered with []."""
        with self._lock:
            self._closed = True
            link, self._link = self._link, None
        if link is not None:
            link.stop()
        self._end_outbox()
        self._answer_all_empty()

    def _put(self, message: ipc.Message) -> None:
        with self._lock:
            if self._outbox is not None:
                self._outbox.put(message)

    def _start(self) -> None:
        """Start or join a process, in a thread, which then receives what it says."""
        outbox: _Outbox = queue.SimpleQueue()
        self._outbox = outbox
        threading.Thread(target=self._converse, args=(outbox,), name="midfill-index-in", daemon=True).start()

    def _converse(self, outbox: _Outbox) -> None:
        try:
            link = open_link(self._setup, shared=self._shared)
        except OSError as error:
            _log.warning("The workspace index cannot be started: %s", error)
            self._end_outbox()
            self._answer_all_empty()
            self._give_up()
            return
        with self._lock:
            closed = self._closed
            self._link = None if closed else link
        if closed:
            link.stop()
        threading.Thread(target=_send, args=(link, outbox), name="midfill-index-out", daemon=True).start()
        while (message := link.receive()) is not None:
            if "answer" in message:
                self._answer(message)
            else:
                self._progress(message)
        link.end_receiving()
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
        """Start or join a process again the first time that it ends, unless :meth:`close` ended it."""
        self._end_outbox()
        self._answer_all_empty()
        with self._lock:
            if self._closed:
                return
            self._link = None
            restart = self._restarts_left > 0
            self._restarts_left -= 1
            if restart:
                _log.warning("The workspace index has ended and is started again")
                self._start()
        if not restart:
            _log.warning("The workspace index has ended again; Midfill continues without it")
            self._give_up()

    def _give_up(self) -> None:
        self.state = IndexState(done=True)
        self._on_progress(self.state)

    def _end_outbox(self) -> None:
        with self._lock:
            outbox, self._outbox = self._outbox, None
        if outbox is not None:
            outbox.put(None)

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


def _send(link: IndexLink, outbox: _Outbox) -> None:
    """Send messages until there are no more; in a thread of its own, because sending may wait for the process."""
    try:
        while (message := outbox.get()) is not None:
            link.send(message)
    except LinkBroken:
        pass  # the thread that receives notices it, too
    link.end_sending()
