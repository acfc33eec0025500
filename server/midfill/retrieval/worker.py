"""The index's process: builds the index file by file, and answers requests in between.

It runs at low priority and writes no file. As the child of one server it ends with that, whose end closes the pipe. In
:mod:`midfill.retrieval.shared_worker` it has more clients. Its messages are those that
:class:`midfill.retrieval.index.WorkspaceIndex` sends.
"""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from midfill.common import background, logs
from midfill.common.file_identity import ignores_case, resolve
from midfill.common.folder_names import loosely
from midfill.privacy.ignore_rules import IGNORE_FILES, IgnoreRules
from midfill.retrieval import ipc
from midfill.retrieval.inverted_index import InvertedIndex
from midfill.retrieval.lookup import Candidate, candidates, from_message
from midfill.retrieval.related_code import related

_PROGRESS_SECONDS = 0.25
"""Seconds between two progress messages."""
_RANK_SECONDS = 5.0
"""Seconds between two updates of the ranking during a scan."""
_PAUSE_SECONDS = 3.0
"""Seconds without a message after which the process does what can wait."""
_MIN_RESCAN_SECONDS, _MAX_RESCAN_SECONDS = 60.0, 300.0
"""Seconds between two scans for changes that were not reported."""
_RESCAN_SHARE = 0.01
"""Part of the time that these scans may take."""
_log = logging.getLogger(__name__)


class Client:
    """A server that asks this process, and gets its answers by ``send``."""

    def __init__(self, send: Callable[[ipc.Message], None]) -> None:
        self.send = send
        self.newest_request = 0
        """The id of the last request that was received."""


class Inbox:
    """The messages of all clients, in their order; for any number of threads."""

    def __init__(self) -> None:
        self._messages: queue.Queue[tuple[Client, ipc.Message]] = queue.Queue()

    def put(self, client: Client, message: ipc.Message) -> None:
        """Add a message of a client."""
        if message["do"] == "look up":
            client.newest_request = message["id"]
        self._messages.put((client, message))

    def take(self, seconds: float | None) -> tuple[Client, ipc.Message] | None:
        """Wait for a message, without limit for None; return None if there is none in time."""
        try:
            return self._messages.get(block=seconds != 0, timeout=seconds)
        except queue.Empty:
            return None


class Worker:
    """The index, the rest of its current scan, and the clients that hear of it."""

    def __init__(self, ignore_rules: IgnoreRules, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin the first scan. ``clock`` returns the seconds since some fixed moment."""
        self._ignore_rules = ignore_rules
        self._clients: list[Client] = []
        self._clock = clock
        self._index = InvertedIndex()
        self._scan_steps: Iterator[None] = iter(())
        self.is_scanning = False
        self.rescan()

    def rescan(self) -> None:
        """Begin a scan of all files."""
        self._scan_steps = self._scan()
        self.is_scanning = True
        self._scan_began = self._clock()
        self._next_scan = self._scan_began + _MAX_RESCAN_SECONDS

    def wait_seconds(self) -> float | None:
        """Return how long to wait for a message before :meth:`idle`; None if only a message gives it something to do.

        It never wakes by itself: nobody reads an index while nobody works. So a scan is due only after a message.
        """
        if self.is_scanning:
            return 0.0
        return _PAUSE_SECONDS if self._index.is_stale or self._clock() >= self._next_scan else None

    def idle(self) -> None:
        """Continue a scan by about one file, or use a pause to update the ranking and to begin the next scan."""
        if self.is_scanning:
            self._step()
            return
        self._index.rank()
        if self._clock() >= self._next_scan:
            self.rescan()

    def _step(self) -> None:
        if next(self._scan_steps, False) is False:
            self.is_scanning = False
            now = self._clock()
            pause = (now - self._scan_began) / _RESCAN_SHARE
            self._next_scan = now + min(max(pause, _MIN_RESCAN_SECONDS), _MAX_RESCAN_SECONDS)

    def handle(self, client: Client, message: ipc.Message) -> None:
        """Process a message. Only its client gets an answer; all clients hear of a change."""
        if message["do"] == "join":
            self._join(client)
        elif message["do"] == "leave":
            self._clients.remove(client)
        elif message["do"] == "look up":
            if message["id"] < client.newest_request:  # a newer request supersedes this one
                client.send({"answer": message["id"], "candidates": []})
                return
            self._answer(client, message, candidates(from_message(message["request"]), self._index))
        elif message["do"] == "look around":
            found = related(from_message(message["request"]), message["name"], self._index)
            self._answer(client, message, found)
        elif message["do"] == "changed":
            changed = [self._changed(Path(path)) for path in message["paths"]]
            self._send_state(done=not self.is_scanning, changed=any(changed))
        elif message["do"] == "rescan":
            self.rescan()
        elif message["do"] == "stop":
            self._scan_steps, self.is_scanning = iter(()), False
            self._index.rank()
            self._send_state(done=True, changed=True)

    def _answer(self, client: Client, message: ipc.Message, found: list[Candidate]) -> None:
        """Send what was found. Ignore rules are asked anew, except about the document of the request."""
        own = message["request"]["path"]
        allowed = [c for c in found if c.path == own or self._ignore_rules.allows(Path(c.path))]
        client.send({"answer": message["id"], "candidates": [vars(candidate) for candidate in allowed]})

    def _join(self, client: Client) -> None:
        """Tell a client how far the index is, and look for what nobody reported while it was away."""
        self._clients.append(client)
        client.send({"process": os.getpid(), **self._state(done=not self.is_scanning, changed=True)})
        if not self.is_scanning:
            self.rescan()

    def _changed(self, path: Path) -> bool:
        """Process a change of a file or folder; return whether it changed the index."""
        if path.name.lower() in IGNORE_FILES or os.path.isdir(path):
            self.rescan()
            return False
        if resolve(path) == path and self._ignore_rules.allows(path):  # a link's file is reported as well
            changed = self._update(str(path))
        else:
            changed = self._index.has(str(path))
            self._index.remove(str(path))
        gone = [] if os.path.exists(path) else self._at_or_below(path)
        for known in gone:
            self._index.remove(known)
        return changed or bool(gone)

    def _at_or_below(self, path: Path) -> list[str]:
        """Return the files that a path stood for which no longer exists: itself, or all in the folder that it was."""
        same = loosely if ignores_case(path.parent) else str
        file, folder = same(str(path)), same(f"{path}{os.sep}")
        return [known for known in self._index.paths if same(known) == file or same(known).startswith(folder)]

    def _scan(self) -> Iterator[None]:
        """Update the index, one file at a step."""
        found: list[str] = []
        for path in self._ignore_rules.walk():
            found.append(str(path))
            yield
        gone = set(self._index.paths) - set(found)
        for known in gone:
            self._index.remove(known)
        changes = len(gone)
        reported = ranked = self._clock()
        for number, file in enumerate(found):
            changes += self._update(file)
            now = self._clock()
            if now - reported > _PROGRESS_SECONDS:
                reported = now
                self._send_state(done=False, changed=True, fraction=number / len(found))
            if now - ranked > _RANK_SECONDS:
                ranked = now
                self._index.rank()
            yield
        self._index.rank()
        self._send_state(done=True, changed=changes > 0)

    def _update(self, path: str) -> bool:
        try:
            return self._index.update(path)
        except Exception:  # a file that breaks the parser must not keep the others out of the index
            _log.exception("A file could not be indexed")
            return False

    def _send_state(self, *, done: bool, changed: bool, fraction: float = 1.0) -> None:
        for client in self._clients:
            client.send(self._state(done=done, changed=changed, fraction=fraction))

    def _state(self, *, done: bool, changed: bool, fraction: float = 1.0) -> ipc.Message:
        return {"files": len(self._index), "done": done, "changed": changed, "fraction": fraction}


def work(worker: Worker, inbox: Inbox) -> None:
    """Handle what clients say, and build the index in between; never return."""
    while True:
        received = inbox.take(worker.wait_seconds())
        if received is None:
            worker.idle()
            continue
        try:
            worker.handle(*received)
        except Exception:  # a message that cannot be processed must not end the index
            _log.exception("The index could not process a message")


def rules_of(setup: ipc.Message) -> IgnoreRules:
    """Return the ignore rules of the index that ``setup`` describes."""
    return IgnoreRules([Path(folder) for folder in setup["folders"]], setup["patterns"])


def _receive(stream: IO[bytes], client: Client, inbox: Inbox) -> None:
    """Receive messages until the parent ends or closes the pipe. Then end this process, even during a scan."""
    while (message := ipc.read(stream)) is not None:
        inbox.put(client, message)
    os._exit(0)


def _write(message: ipc.Message) -> None:
    try:
        ipc.write(sys.stdout.buffer, message)
    except (OSError, ValueError):
        os._exit(0)  # the parent has closed the pipe


def main() -> None:
    """Serve the parent over standard input and output until the parent ends."""
    logs.setup_logging(logging.WARNING)
    background.enter()
    setup = ipc.read(sys.stdin.buffer)
    if setup is None:
        return
    parent, inbox = Client(_write), Inbox()
    inbox.put(parent, {"do": "join"})
    threading.Thread(target=_receive, args=(sys.stdin.buffer, parent, inbox), daemon=True).start()
    # Only from here on: the thread ends this process with its parent, also while ignore files are read.
    work(Worker(rules_of(setup)), inbox)


if __name__ == "__main__":
    main()
