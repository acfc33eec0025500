"""Time as the code that waits sees it, so that a test can replace it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """A call that is due later."""

    def cancel(self) -> None:
        """Do not make the call."""


class Clock(Protocol):
    """Seconds that pass, and calls that are made after some of them."""

    def now(self) -> float:
        """Return the seconds since some fixed moment."""

    async def sleep(self, seconds: float) -> None:
        """Return after ``seconds``."""

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call ``callback`` after ``seconds``."""


class LoopClock:
    """The clock of the event loop that runs; only for code on that loop."""

    def now(self) -> float:
        """See :meth:`Clock.now`."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """See :meth:`Clock.sleep`."""
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """See :meth:`Clock.call_later`."""
        return asyncio.get_running_loop().call_later(seconds, callback)
