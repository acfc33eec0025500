"""A timer for when nothing happens."""

from __future__ import annotations

from collections.abc import Callable

from midfill.common.clock import Clock, LoopClock, Timer


class IdleTimer:
    """Calls back when it was not restarted for some time; for use on one event loop."""

    def __init__(self, seconds: float, callback: Callable[[], None], clock: Clock | None = None) -> None:
        """Wait ``seconds`` after each restart; 0 never calls."""
        self.seconds = seconds
        """A change counts from the next restart."""
        self._callback = callback
        self._clock = clock or LoopClock()
        self._timer: Timer | None = None

    def restart(self) -> None:
        """Begin to wait again."""
        self.stop()
        if self.seconds:
            self._timer = self._clock.call_later(self.seconds, self._callback)

    def stop(self) -> None:
        """Do not call back before the next restart."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
