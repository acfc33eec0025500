"""Sends messages in a thread of its own: who has something to say never waits for a process that does not read."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from midfill.sharing.connection import ConnectionLost

M = TypeVar("M")
_MAX_WAITING = 1_000
"""Maximum number of messages that the other side has not read yet."""


class Outbox(Generic[M]):
    """The messages to one process, in their order; for any number of threads."""

    def __init__(self, send: Callable[[M], None]) -> None:
        """Send each message by ``send``, which may raise ConnectionLost. Who receives notices that, too."""
        self._messages: queue.SimpleQueue[M | None] = queue.SimpleQueue()
        self.is_full = False
        """Whether a message was dropped, because the other side does not read."""
        threading.Thread(target=_send, args=(send, self._messages), name="midfill-outbox", daemon=True).start()

    def put(self, message: M) -> None:
        """Send a message soon."""
        self.is_full = self.is_full or self._messages.qsize() >= _MAX_WAITING
        if not self.is_full:
            self._messages.put(message)

    def close(self) -> None:
        """Send nothing after what was put already."""
        self._messages.put(None)


def _send(send: Callable[[M], None], messages: queue.SimpleQueue[M | None]) -> None:
    with suppress(ConnectionLost):
        while (message := messages.get()) is not None:
            send(message)
