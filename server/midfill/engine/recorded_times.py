"""The times of prefills, measured in the engine process for a client that learns from them."""

from __future__ import annotations

from collections.abc import Sized
from contextlib import AbstractContextManager

from midfill.inference.prefill_throughput import timed


class RecordedTimes:
    """Keeps times until they are taken; a :class:`midfill.inference.token_generator.PrefillMeter`."""

    def __init__(self) -> None:
        self._times: list[tuple[int, float, float]] = []

    def timing(self, computed: Sized) -> AbstractContextManager[None]:
        """See :meth:`midfill.inference.token_generator.PrefillMeter.timing`."""
        return timed(computed, self.learn)

    def learn(self, tokens: int, seconds: float, processor_seconds: float) -> None:
        """See :meth:`midfill.inference.token_generator.PrefillMeter.learn`."""
        self._times.append((tokens, seconds, processor_seconds))

    def take(self) -> list[tuple[int, float, float]]:
        """Return the times since the last call, as arguments for ``learn``."""
        times, self._times = self._times, []
        return times
