"""Work in the background, shown by the editor's own progress display."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

if TYPE_CHECKING:
    from types import TracebackType

    from pygls.lsp.server import LanguageServer


class LoadProgress:
    """An async context within which `report` reaches a client that can show work in progress.

    The context is entered and left at once: nothing waits for the client to agree, and nothing is sent until it has.
    """

    def __init__(self, server: LanguageServer, what: str) -> None:
        """Begin with saying ``what`` is done."""
        window = server.client_capabilities.window
        self._wanted = bool(window and window.work_done_progress)
        self._progress = server.work_done_progress
        self._what = what
        self._token = str(uuid.uuid4())
        self._begun = False
        self._over = False
        self._loop = asyncio.get_running_loop()
        self._opening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> LoadProgress:
        if self._wanted:
            self._opening = asyncio.create_task(self._open())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        if self._begun:
            self._progress.end(self._token, types.WorkDoneProgressEnd())

    def report(self, message: str, fraction: float) -> None:
        """Say how far it is; may be called from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the client has left meanwhile
            self._loop.call_soon_threadsafe(self._send, message, fraction)

    async def _open(self) -> None:
        with contextlib.suppress(JsonRpcException):  # the client may refuse, and is then left alone
            await self._progress.create_async(self._token)
            if not self._over:
                begin = types.WorkDoneProgressBegin(title="Midfill", message=self._what, percentage=0)
                self._progress.begin(self._token, begin)
                self._begun = True

    def _send(self, message: str, fraction: float) -> None:
        if self._begun and not self._over:
            percentage = min(100, max(0, round(100 * fraction)))
            self._progress.report(self._token, types.WorkDoneProgressReport(message=message, percentage=percentage))
