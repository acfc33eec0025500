"""The client's messages, read by a thread while the event loop works on the ones before."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Callable

from midfill.common.message_splitter import MessageSplitter

_PIECE_BYTES = 1 << 16
_MAX_WAITING = 1 << 26
"""Number of bytes that wait for the event loop before no more are read."""


class ClientInput:
    """Reads ahead, so that the end of the input is noticed even while the event loop is busy."""

    def __init__(self, descriptor: int, on_end: Callable[[], None]) -> None:
        """Begin to read; must be called on the event loop.

        Args:
            descriptor: the input, as the system numbers it. A Python stream would be locked by the thread that waits
                for it, and Python could not exit.
            on_end: called once when the input ends or :meth:`end` is called, in that thread.
        """
        self._descriptor = descriptor
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._arrived: asyncio.Queue[list[bytes | None] | None] = asyncio.Queue()
        self._waiting = 0
        self._room = threading.Condition()
        self._ending = threading.Lock()
        threading.Thread(target=self._read, name="midfill-input", daemon=True).start()

    async def messages(self) -> AsyncIterator[bytes | None]:
        """Yield the body of each message, and None where bytes belong to no message, until the input ends."""
        while (bodies := await self._arrived.get()) is not None:
            for body in bodies:
                yield body
            with self._room:
                self._waiting -= _size(bodies)
                self._room.notify()

    def end(self) -> None:
        """Do as if the input had ended, after the messages that were read; may be called from any thread."""
        if self._ending.acquire(blocking=False):
            self._on_end()
            self._hand_over(None)

    def _read(self) -> None:
        splitter = MessageSplitter()
        with contextlib.suppress(OSError):  # the client's end of a pipe may break
            while piece := os.read(self._descriptor, _PIECE_BYTES):
                bodies = splitter.feed(piece)
                with self._room:
                    self._room.wait_for(lambda: self._waiting < _MAX_WAITING)
                    self._waiting += _size(bodies)
                self._hand_over(bodies)
        splitter.end()
        self.end()

    def _hand_over(self, bodies: list[bytes | None] | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the client has left
            self._loop.call_soon_threadsafe(self._arrived.put_nowait, bodies)


def _size(bodies: list[bytes | None]) -> int:
    return sum(len(body or b"") for body in bodies)
