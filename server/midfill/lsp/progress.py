"""The progress of work in the background, in the editor's own display."""

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
    """An async context in which `report` shows the progress of work, if the client can show it.

    Entering and leaving the context take no time. Nothing waits for the client to accept the progress, and nothing is
    sent before it has.
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
        """Prepare the progress; it begins when the context is entered.

        Args:
            server: the server of the client.
            what: the work, in a few words.
            token: the client's own token, which the client has accepted by sending it; None to create one.
            on_cancel: called when the user cancels the work; None for work that cannot be cancelled.
            every: minimum number of seconds between two reports. Reports that come sooner are left out.
        """
        window = server.client_capabilities.window
        self._can_show = token is not None or bool(window and window.work_done_progress)
        self._progress = server.work_done_progress
        self._what = what
        self._accepted = token is not None
        self._token = str(uuid.uuid4()) if token is None else token
        self._on_cancel = on_cancel
        self._every = every
        self._last = 0.0
        self._begun = False
        self._over = False
        self._loop = asyncio.get_running_loop()
        self._opening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> WorkProgress:
        if self._accepted:
            self._begin()
        elif self._can_show:
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
        """Show how far the work is; may be called from any thread."""
        now = time.monotonic()
        if now - self._last >= self._every:
            self._last = now
            with contextlib.suppress(RuntimeError):  # the loop is closed: the client has left meanwhile
                self._loop.call_soon_threadsafe(self._send, message, fraction)

    async def _open(self) -> None:
        with contextlib.suppress(JsonRpcException):  # a client that refuses gets no progress
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
