"""A timer for when nothing happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class IdleTimer:
    """Calls back when it was not restarted for a while; for use on one running event loop."""

    def __init__(self, seconds: float, callback: Callable[[], None]) -> None:
        """Wait ``seconds`` from each restart on; 0 for never calling."""
        self.seconds = seconds
        """Counts from the next restart on."""
        self._callback = callback
        self._handle: asyncio.TimerHandle | None = None

    def restart(self) -> None:
        """Wait anew from now on."""
        self.stop()
        if self.seconds:
            self._handle = asyncio.get_running_loop().call_later(self.seconds, self._callback)

    def stop(self) -> None:
        """Do not call back until restarted."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
