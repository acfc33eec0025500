"""The language server with a scheduler that does at once what a model does rarely; run as a program by the tests.

usage: scripted_server.py crash|echo|block|stick|linger LOG_LEVEL
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import cast

from midfill.common.logs import setup_logging
from midfill.completion.scheduler import Scheduler
from midfill.completion.types import Completion, Request
from midfill.lsp.app import serve_stdio
from midfill.settings.live import LiveSettings


class ScriptedScheduler:
    """Loads at once, and answers "ok" at the cursor.

    Or it fails on the document's text, blocks the event loop or a thread of it for ever, or never closes, as with a
    worker that is stuck.
    """

    def __init__(self, behaviour: str) -> None:
        self._behaviour = behaviour
        self.state = "idle"

    def start(self, progress: Callable[[str, float], None]) -> Future[None]:
        self.state = "ready"
        progress("loading", 1.0)
        loaded: Future[None] = Future()
        loaded.set_result(None)
        return loaded

    async def complete(self, request: Request) -> Completion:
        if self._behaviour == "crash":
            raise ValueError(request.text)
        if self._behaviour == "block":
            self._wait_for_ever()
        if self._behaviour == "linger":
            await asyncio.to_thread(self._wait_for_ever)
        return Completion(text="ok", start=request.offset, end=request.offset)

    def prepare(self, request: Request) -> None:
        """Nothing is computed ahead."""

    def forget(self, path: str) -> None:
        """Nothing is remembered."""

    def work_in(self, workspace: object) -> None:
        """Other files do not matter."""

    def close(self) -> None:
        """Nothing runs, unless it is stuck."""
        if self._behaviour == "stick":
            self._wait_for_ever()

    def _wait_for_ever(self) -> None:
        sys.stderr.write(f"{self._behaviour}\n")
        sys.stderr.flush()
        threading.Event().wait()


def main(behaviour: str, level: str) -> int:
    """Serve until the client leaves."""
    setup_logging(level)

    def make(_settings: LiveSettings) -> Scheduler:
        return cast("Scheduler", ScriptedScheduler(behaviour))

    return serve_stdio(make)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
