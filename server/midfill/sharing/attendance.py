"""When a process that servers share ends: some time after its last client, or soon if nobody comes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_JOIN_SECONDS = 60.0
"""Seconds that the first client has to come."""


class Attendance:
    """Counts the clients of a process; for any number of threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, join_seconds: float = _JOIN_SECONDS) -> None:
        """Wait ``join_seconds`` for the first client. ``clock`` returns the seconds since some fixed moment."""
        self._clock = clock
        self._keep_seconds = join_seconds
        self._last_work = clock()
        self._clients = 0
        self._changed = threading.Condition()

    def joined(self) -> None:
        """Count one more client. Unless :meth:`keep` is called, the process ends with its last client."""
        with self._changed:
            self._clients += 1
            self._keep_seconds = 0.0
            self._changed.notify_all()

    def keep(self, seconds: float) -> None:
        """Let the process stay without clients for ``seconds`` after its last work."""
        self._keep_seconds = seconds

    def left(self) -> None:
        """Count one client less."""
        with self._changed:
            self._clients -= 1
            self._changed.notify_all()

    def worked(self) -> None:
        """Note that a client has asked for something."""
        self._last_work = self._clock()

    @property
    def seconds_left(self) -> float | None:
        """How long the process must still wait for clients; None while it has some."""
        return None if self._clients else max(self._last_work + self._keep_seconds - self._clock(), 0.0)

    def wait_until_over(self) -> None:
        """Return when the process is no longer needed."""
        with self._changed:
            while (seconds := self.seconds_left) != 0.0:
                self._changed.wait(seconds)
