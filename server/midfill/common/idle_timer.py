"""A timer that reports that nothing has happened for some time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class IdleTimer:
    """Calls back unless it is restarted in time; to be used within one running event loop."""

    def __init__(self, seconds: float, callback: Callable[[], None]) -> None:
        """Call ``callback`` when ``seconds`` have passed since the last restart; 0 never calls it."""
        self.seconds = seconds
        """A new value takes effect at the next restart."""
        self._callback = callback
        self._handle: asyncio.TimerHandle | None = None

    def restart(self) -> None:
        """Start to wait again, from now on."""
        self.stop()
        if self.seconds:
            self._handle = asyncio.get_running_loop().call_later(self.seconds, self._callback)

    def stop(self) -> None:
        """Do not call back until the next restart."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
