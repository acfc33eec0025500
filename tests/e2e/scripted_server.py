"""The language server with a scheduler that does at once what a model does rarely; run as a program by the tests.

usage: scripted_server.py crash|echo LOG_LEVEL
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Future
from typing import cast

from midfill.common.logs import setup_logging
from midfill.completion.scheduler import Scheduler
from midfill.completion.types import Completion, Request
from midfill.lsp.app import serve_stdio
from midfill.settings.live import LiveSettings


class ScriptedScheduler:
    """Loads at once; answers "ok" at the cursor, or fails on the document's text."""

    def __init__(self, crashes: bool) -> None:
        self._crashes = crashes
        self.state = "idle"

    def start(self, progress: Callable[[str, float], None]) -> Future[None]:
        self.state = "ready"
        progress("loading", 1.0)
        loaded: Future[None] = Future()
        loaded.set_result(None)
        return loaded

    async def complete(self, request: Request) -> Completion:
        if self._crashes:
            raise ValueError(request.text)
        return Completion(text="ok", start=request.offset, end=request.offset)

    def prepare(self, request: Request) -> None:
        """Nothing is computed ahead."""

    def forget(self, path: str) -> None:
        """Nothing is remembered."""

    def work_in(self, workspace: object) -> None:
        """Other files do not matter."""

    def close(self) -> None:
        """Nothing runs."""


def main(behaviour: str, level: str) -> int:
    """Serve until the client leaves."""
    setup_logging(level)

    def make(_settings: LiveSettings) -> Scheduler:
        return cast("Scheduler", ScriptedScheduler(behaviour == "crash"))

    return serve_stdio(make)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
