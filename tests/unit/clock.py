"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable


class _Call:
    def __init__(self, due: float, callback: Callable[[], None]) -> None:
        self.due = due
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class ManualClock:
    """A :class:`midfill.common.clock.Clock` for tests: nothing waits, and what is due happens in :meth:`advance`."""

    def __init__(self) -> None:
        self._now = 0.0
        self._calls: list[_Call] = []

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        reached = asyncio.Event()
        self.call_later(seconds, reached.set)
        await reached.wait()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> _Call:
        call = _Call(self._now + seconds, callback)
        self._calls.append(call)
        return call

    @property
    def waiting(self) -> int:
        """How many calls are still to come."""
        return sum(not call.cancelled for call in self._calls)

    @property
    def until_next(self) -> float:
        """Seconds until the next call; infinite if there is none."""
        return min((call.due - self._now for call in self._calls if not call.cancelled), default=math.inf)

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass; make the calls that are due then, in their order."""
        end = self._now + seconds
        while due := sorted((c for c in self._calls if not c.cancelled and c.due <= end), key=lambda c: c.due):
            self._now = max(self._now, due[0].due)
            self._calls.remove(due[0])
            due[0].callback()
        self._now = end
