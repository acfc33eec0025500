"""How somebody types, and so how long to wait for the next key before a suggestion is made."""

from __future__ import annotations

import statistics
from collections import deque

_REMEMBERED = 12
_FEWEST = 3
"""Intervals that make a rhythm."""
_PAUSE = 1.0
"""Seconds without a key after which a new burst begins."""
_LATE = 1.3
"""Times the usual interval, after which the next key is not likely to come at once."""


class AdaptiveDebounce:
    """The intervals between the latest keys, of all documents: it is one person who types."""

    def __init__(self) -> None:
        self._intervals: deque[float] = deque(maxlen=_REMEMBERED)
        self._latest = float("-inf")

    def key(self, now: float) -> None:
        """Take note of a key at ``now``, in seconds of any clock."""
        interval, self._latest = now - self._latest, now
        if 0 < interval < _PAUSE:
            self._intervals.append(interval)

    def wait(self, longest: float) -> float:
        """Return the seconds after which the burst is likely over, as far as that is known within ``longest``.

        0 where nothing is known yet, and where somebody types so slowly that waiting ``longest`` would spare nothing.
        """
        if len(self._intervals) < _FEWEST:
            return 0.0
        seconds = _LATE * statistics.median(self._intervals)
        return seconds if seconds <= longest else 0.0
