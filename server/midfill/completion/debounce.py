"""Adaptive debounce: the user's typing speed decides how long to wait for the next key before a suggestion is made."""

from __future__ import annotations

import statistics
from collections import deque

_MAX_INTERVALS = 12
"""Maximum number of remembered intervals between keys."""
_MIN_INTERVALS = 3
"""Minimum number of intervals from which the typing speed is known."""
_MAX_INTERVAL = 1.0
"""Maximum length of an interval, in seconds. A longer time without a key is a pause, and does not count."""
_WAIT_FACTOR = 1.3
"""The wait divided by the median interval. A key that has not come by then is not likely to come soon."""


class AdaptiveDebounce:
    """The intervals between the latest keys, in all documents together, because one person types in all of them."""

    def __init__(self) -> None:
        self._intervals: deque[float] = deque(maxlen=_MAX_INTERVALS)
        self._latest = float("-inf")

    def key(self, now: float) -> None:
        """Note a key at the time ``now``, in seconds of any clock."""
        interval, self._latest = now - self._latest, now
        if 0 < interval < _MAX_INTERVAL:
            self._intervals.append(interval)

    def wait(self, longest: float) -> float:
        """Return how long to wait for the next key: a little more than the usual interval, in seconds.

        The result is 0 if too few keys are known. It is also 0 if it would be more than ``longest`` seconds: the user
        types so slowly that no shorter wait would avoid a useless request.
        """
        if len(self._intervals) < _MIN_INTERVALS:
            return 0.0
        seconds = _WAIT_FACTOR * statistics.median(self._intervals)
        return seconds if seconds <= longest else 0.0
