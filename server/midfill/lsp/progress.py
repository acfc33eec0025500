"""Work in the background, shown by the editor's own progress display."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

if TYPE_CHECKING:
    from concurrent.futures import Future
    from types import TracebackType

    from pygls.lsp.server import LanguageServer


class WorkProgress:
    """An async context within which `report` reaches a client that can show work in progress.

    The context is entered and left at once: nothing waits for the client to agree, and nothing is sent until it has.
    """

    def __init__(
        self,
        server: LanguageServer,
        what: str,
        *,
        token: types.ProgressToken | None = None,
        on_cancel: Callable[[], None] | None = None,
        every: float = 0.0,
    ) -> None:
        """Begin with saying ``what`` is done.

        Args:
            server: whose client is told.
            what: is done, in a few words.
            token: the client's own, which it agreed to by sending it; None to ask for one.
            on_cancel: called when the client's user cancels the work; None for work that goes on.
            every: so many seconds at least lie between reports; what comes sooner is left out.
        """
        window = server.client_capabilities.window
        self._wanted = token is not None or bool(window and window.work_done_progress)
        self._progress = server.work_done_progress
        self._what = what
        self._agreed = token is not None
        self._token = str(uuid.uuid4()) if token is None else token
        self._on_cancel = on_cancel
        self._every = every
        self._last = 0.0
        self._begun = False
        self._over = False
        self._loop = asyncio.get_running_loop()
        self._opening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> WorkProgress:
        if self._agreed:
            self._begin()
        elif self._wanted:
            self._opening = asyncio.create_task(self._open())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        if self._begun:
            self._progress.end(self._token, types.WorkDoneProgressEnd())
        self._progress.tokens.pop(self._token, None)

    def report(self, message: str, fraction: float | None = None) -> None:
        """Say how far it is; may be called from any thread."""
        now = time.monotonic()
        if now - self._last >= self._every:
            self._last = now
            with contextlib.suppress(RuntimeError):  # the loop is closed: the client has left meanwhile
                self._loop.call_soon_threadsafe(self._send, message, fraction)

    async def _open(self) -> None:
        with contextlib.suppress(JsonRpcException):  # the client may refuse, and is then left alone
            await self._progress.create_async(self._token)
            if self._over:
                self._progress.tokens.pop(self._token, None)
            else:
                self._begin()

    def _begin(self) -> None:
        cancellable = self._on_cancel is not None
        percentage = None if cancellable else 0
        begin = types.WorkDoneProgressBegin(
            title="Midfill", message=self._what, percentage=percentage, cancellable=cancellable or None
        )
        self._progress.begin(self._token, begin)
        self._begun = True
        self._progress.tokens[self._token].add_done_callback(self._cancelled)

    def _cancelled(self, future: Future[object]) -> None:
        if self._on_cancel is not None and future.cancelled():
            self._on_cancel()

    def _send(self, message: str, fraction: float | None) -> None:
        if self._begun and not self._over:
            percentage = None if fraction is None else min(100, max(0, round(100 * fraction)))
            self._progress.report(self._token, types.WorkDoneProgressReport(message=message, percentage=percentage))
