"""The index's process: builds the index file by file, and answers requests in between.

It runs at low priority and writes no file. It ends with its parent, whose end closes the pipe. Its messages are those
that :class:`midfill.retrieval.index.WorkspaceIndex` sends.
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
from midfill.retrieval.lookup import candidates, from_message

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


class Inbox:
    """The messages of the parent, in their order."""

    def __init__(self) -> None:
        self.messages: queue.Queue[ipc.Message] = queue.Queue()
        self.newest_request = 0
        """The id of the last request that was received."""

    def fill(self, stream: IO[bytes]) -> None:
        """Receive messages until the parent ends or closes the pipe. Then end this process, even during a scan."""
        while (message := ipc.read(stream)) is not None:
            if message["do"] == "look up":
                self.newest_request = message["id"]
            self.messages.put(message)
        os._exit(0)


class Worker:
    """The index and the rest of its current scan."""

    def __init__(
        self,
        ignore_rules: IgnoreRules,
        output: IO[bytes],
        clock: Callable[[], float] = time.monotonic,
        inbox: Inbox | None = None,
    ) -> None:
        """Begin the first scan. ``clock`` returns the seconds since some fixed moment."""
        self._ignore_rules = ignore_rules
        self._output = output
        self._clock = clock
        self._index = InvertedIndex()
        self._scan_steps: Iterator[None] = iter(())
        self.is_scanning = False
        self._inbox = inbox or Inbox()
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

    def handle(self, message: ipc.Message) -> None:
        """Process a message of the parent."""
        if message["do"] == "look up":
            if message["id"] < self._inbox.newest_request:  # a newer request supersedes this one
                self._send({"answer": message["id"], "candidates": []})
                return
            request = from_message(message["request"])
            found = candidates(request, self._index)
            allowed = [c for c in found if c.path == request.path or self._ignore_rules.allows(Path(c.path))]
            self._send({"answer": message["id"], "candidates": [vars(candidate) for candidate in allowed]})
        elif message["do"] == "changed":
            changed = [self._changed(Path(path)) for path in message["paths"]]
            self._send_state(done=not self.is_scanning, changed=any(changed))
        elif message["do"] == "rescan":
            self.rescan()
        elif message["do"] == "stop":
            self._scan_steps, self.is_scanning = iter(()), False
            self._index.rank()
            self._send_state(done=True, changed=True)

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
        self._send({"files": len(self._index), "done": done, "changed": changed, "fraction": fraction})

    def _send(self, message: ipc.Message) -> None:
        try:
            ipc.write(self._output, message)
        except (OSError, ValueError):
            os._exit(0)  # the parent has closed the pipe


def main() -> None:
    """Serve the parent over standard input and output until the parent ends."""
    logs.setup_logging(logging.WARNING)
    background.enter()
    first = ipc.read(sys.stdin.buffer)
    if first is None:
        return
    inbox = Inbox()
    threading.Thread(target=inbox.fill, args=(sys.stdin.buffer,), daemon=True).start()
    # Only from here on: the thread ends this process with its parent, also while ignore files are read.
    rules = IgnoreRules([Path(folder) for folder in first["folders"]], first["patterns"])
    worker = Worker(rules, sys.stdout.buffer, inbox=inbox)
    while True:
        try:
            seconds = worker.wait_seconds()
            message = inbox.messages.get(block=seconds != 0, timeout=seconds)
        except queue.Empty:
            worker.idle()
            continue
        try:
            worker.handle(message)
        except Exception:  # a message that cannot be processed must not end the index
            _log.exception("The index could not process a message")


if __name__ == "__main__":
    main()
