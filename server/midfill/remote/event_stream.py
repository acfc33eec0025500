"""The events of one answer, which also come in while nobody reads them. An answer that is left ends after a while."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from enum import Enum

from midfill.common.cancel import CancelFlag
from midfill.remote.events import Event, EventReader, NotEvents
from midfill.remote.failure import Failed, late

PROMPT_SECONDS, READ_SECONDS = 10.0, 1.0
"""How long an answer that was left may go on: until its first event, and from then on."""


class Patience:
    """How long the next token is waited for."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.renew()

    def renew(self) -> None:
        """Begin again, because a token has come."""
        self._until = time.monotonic() + self.seconds

    @property
    def left(self) -> float:
        """Seconds; 0 if they are over."""
        return max(self._until - time.monotonic(), 0.0)


class _Wake(Enum):
    """What is put among the events to wake the thread that waits for them."""

    WAKE = 0


class EventStream:
    """Receives the events of one answer, for one thread at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, parts: AsyncGenerator[bytes], reader: EventReader) -> None:
        """Begin to receive ``parts`` on ``loop``, which runs in another thread, and read events out of them."""
        self._loop = loop
        self._inbox: queue.SimpleQueue[Event | Exception | _Wake | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._has_begun = False
        self._left: object | None = None
        """What stands for the time since the answer was left; None while somebody reads."""
        self._task = asyncio.run_coroutine_threadsafe(self._receive(parts, reader), loop)

    def next(self, patience: Patience, cancel: CancelFlag) -> Event | None:
        """Wait for the next event; None says that there are no more.

        Raises:
            Cancelled: ``cancel`` was set. No event is lost.
            Failed: the server cannot be reached, refuses, is too slow, or sends what is no stream of events.
        """
        with cancel.interrupting(lambda: self._inbox.put(_Wake.WAKE)):
            while True:
                try:
                    received = self._inbox.get(timeout=patience.left)
                except queue.Empty:
                    raise Failed(late(patience.seconds), is_slow=True) from None
                if isinstance(received, Exception):
                    raise received
                if received is not _Wake.WAKE:
                    return received
                cancel.check()  # an earlier reader may have been woken instead

    def leave(self) -> None:
        """Let the answer go on for a while without a reader: its prompt is read, and then somebody may take it up."""
        with self._lock:
            self._left = object()
            self._end_in(READ_SECONDS if self._has_begun else PROMPT_SECONDS)

    def take_up(self) -> bool:
        """Be read again; return whether the answer has not been ended meanwhile."""
        with self._lock:
            self._left = None
            return not self._task.cancelled()

    def close(self, seconds: float = 0.0) -> None:
        """End the answer, which closes its connection; not before ``seconds`` have passed, if it ends by itself."""
        if not self._task.done() and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.call_later, seconds, self._task.cancel)

    def _end_in(self, seconds: float) -> None:
        """End the answer, unless somebody takes it up; the caller has the lock."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.call_later, seconds, self._end, self._left)

    # The methods below run on the loop.

    def _end(self, left: object) -> None:
        with self._lock:
            if self._left is left:
                self._task.cancel()

    async def _receive(self, parts: AsyncGenerator[bytes], reader: EventReader) -> None:
        """Put each event into the inbox, at last None; or what went wrong."""
        try:
            async with aclosing(parts):
                async for part in parts:
                    for event in reader.feed(part):
                        self._inbox.put(event)
                        self._begin()
            self._inbox.put(None)
        except NotEvents as error:
            self._inbox.put(Failed(str(error)))
        except Exception as error:  # whoever waits must learn of it
            self._inbox.put(error)

    def _begin(self) -> None:
        """Note that the prompt was read."""
        with self._lock:
            is_first, self._has_begun = not self._has_begun, True
            if is_first and self._left is not None:
                self._end_in(READ_SECONDS)
