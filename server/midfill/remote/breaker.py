"""A circuit breaker: a server that fails is left alone for a while, so that nobody waits for it at each keystroke."""

from __future__ import annotations

import time
from collections.abc import Callable

_SLOW_IN_A_ROW = 3
"""How often a server may be slow before it counts as failing: the prompt of a new document is much to read."""
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 60.0
"""Seconds. Each failure in a row doubles the pause."""


class Breaker:
    """Says when a server may be asked; its caller sees to it that one thread at a time uses it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with a server that may be asked."""
        self._clock = clock
        self._slow = 0
        self._pause = 0.0
        self._until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the server failed, and has not answered since."""
        return self._pause > 0

    @property
    def may_try(self) -> bool:
        """Whether the server may be asked now: it is well, or its pause is over."""
        return not self.is_open or self._clock() >= self._until

    def failed(self, *, is_slow: bool = False) -> None:
        """Note a failure. One that is only slow has a few tries, unless it failed before."""
        self._slow += 1
        if is_slow and not self.is_open and self._slow < _SLOW_IN_A_ROW:
            return
        self._pause = min(2 * self._pause or _FIRST_PAUSE, _LONGEST_PAUSE)
        self._until = self._clock() + self._pause

    def succeeded(self) -> None:
        """Note an answer in time."""
        self._slow = 0
        self._pause = 0.0
