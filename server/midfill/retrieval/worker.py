"""The index's process: builds the catalogue, and answers questions between two files.

It runs at low priority, ends with its parent (whose end closes the pipe) and writes no file. See
:class:`midfill.retrieval.index.WorkspaceIndex` for its messages.
"""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from midfill.common import logs
from midfill.privacy.ignore import IGNORE_FILES, Ignore
from midfill.retrieval import ipc
from midfill.retrieval.inverted_index import InvertedIndex
from midfill.retrieval.lookup import candidates, from_message

_NICE = 10
_PROGRESS_SECONDS = 0.25
_RANK_SECONDS = 5.0
"""While the index is being built, its ranking is renewed so often."""
_PAUSE_SECONDS = 3.0
_RESCAN_SECONDS = 300.0
"""Changes that nobody told of are looked for so often."""
_log = logging.getLogger(__name__)


class Worker:
    """The catalogue and what is left to do for it."""

    def __init__(self, ignore: Ignore, output: IO[bytes]) -> None:
        self._ignore = ignore
        self._output = output
        self._catalogue = InvertedIndex()
        self._work: Iterator[None] = iter(())
        self.is_working = False
        self.newest_question = 0
        """The number of the last question that has come in; may be set by another thread."""
        self.rescan()

    def rescan(self) -> None:
        """Look at every file again, those first that are new."""
        self._work = self._scan()
        self.is_working = True
        self._next_scan = time.monotonic() + _RESCAN_SECONDS

    def idle(self) -> None:
        """Use a pause: take changes into the ranking, and look from time to time for some that nobody told of."""
        self._catalogue.rank()
        if time.monotonic() > self._next_scan:
            self.rescan()

    def step(self) -> None:
        """Go on with what is to be done, for about one file."""
        if next(self._work, False) is False:
            self.is_working = False

    def handle(self, message: ipc.Message) -> None:
        """Do what the parent asks for."""
        if message["do"] == "ask":
            if message["id"] < self.newest_question:  # somebody has typed on meanwhile
                self._send({"answer": message["id"], "candidates": []})
                return
            found = candidates(from_message(message["question"]), self._catalogue)
            allowed = [c for c in found if c.path == message["question"]["path"] or self._ignore.allows(Path(c.path))]
            self._send({"answer": message["id"], "candidates": [vars(candidate) for candidate in allowed]})
        elif message["do"] == "changed":
            changed = [self._changed(Path(path)) for path in message["paths"]]
            self._send_state(done=not self.is_working, changed=any(changed))
        elif message["do"] == "rescan":
            self.rescan()
        elif message["do"] == "stop":
            self._work, self.is_working = iter(()), False
            self._catalogue.rank()
            self._send_state(done=True, changed=True)

    def _changed(self, path: Path) -> bool:
        """Take in a change of a file or folder; say whether it changed what is known."""
        if path.name in IGNORE_FILES or path.is_dir():
            self.rescan()
            return False
        if self._ignore.allows(path):
            changed = self._update(str(path))
        else:
            changed = self._catalogue.has(str(path))
            self._catalogue.forget(str(path))
        below = [] if path.exists() else [p for p in self._catalogue.paths if p.startswith(f"{path}{os.sep}")]
        for known in below:  # the path was a folder
            self._catalogue.forget(known)
        return changed or bool(below)

    def _scan(self) -> Iterator[None]:
        """Bring the catalogue up to date, a file at a time."""
        found: list[str] = []
        for path in self._ignore.walk():
            found.append(str(path))
            yield
        gone = set(self._catalogue.paths) - set(found)
        for known in gone:
            self._catalogue.forget(known)
        changes = len(gone)
        told = ranked = time.monotonic()
        for number, file in enumerate(found):
            changes += self._update(file)
            now = time.monotonic()
            if now - told > _PROGRESS_SECONDS:
                told = now
                self._send_state(done=False, changed=True, fraction=number / len(found))
            if now - ranked > _RANK_SECONDS:
                ranked = now
                self._catalogue.rank()
            yield
        self._catalogue.rank()
        self._send_state(done=True, changed=changes > 0)

    def _update(self, path: str) -> bool:
        try:
            return self._catalogue.update(path)
        except Exception:  # whatever a file does to the parser, the others are indexed
            _log.exception("A file could not be indexed")
            return False

    def _send_state(self, *, done: bool, changed: bool, fraction: float = 1.0) -> None:
        self._send({"files": len(self._catalogue), "done": done, "changed": changed, "fraction": fraction})

    def _send(self, message: ipc.Message) -> None:
        try:
            ipc.write(self._output, message)
        except (OSError, ValueError):
            os._exit(0)  # nobody reads any more


def main() -> None:
    """Serve the parent over standard input and output until it is gone."""
    logs.setup_logging(logging.WARNING)
    if hasattr(os, "nice"):
        os.nice(_NICE)
    inbox: queue.Queue[ipc.Message] = queue.Queue()
    first = ipc.read(sys.stdin.buffer)
    if first is None:
        return
    worker = Worker(Ignore([Path(folder) for folder in first["folders"]], first["patterns"]), sys.stdout.buffer)
    threading.Thread(target=_receive, args=(worker, inbox), daemon=True).start()
    while True:
        try:
            message = inbox.get_nowait() if worker.is_working else inbox.get(timeout=_PAUSE_SECONDS)
        except queue.Empty:
            worker.step() if worker.is_working else worker.idle()
            continue
        try:
            worker.handle(message)
        except Exception:  # one question that cannot be answered must not cost the index
            _log.exception("The index could not do what it was asked for")


def _receive(worker: Worker, inbox: queue.Queue[ipc.Message]) -> None:
    while (message := ipc.read(sys.stdin.buffer)) is not None:
        if message["do"] == "ask":
            worker.newest_question = message["id"]
        inbox.put(message)
    os._exit(0)  # the parent is gone, or wants this to end: at once, whatever is being done


if __name__ == "__main__":
    main()
