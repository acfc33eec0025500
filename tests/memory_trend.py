"""Whether the memory of a process is level: what leaks grows all the time, and what is kept grows at first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

LEAK = 2_000
"""Bytes a case. What leaks grows all the time; which prompts are kept changes the memory now and then."""
NOISE = 1.03
"""How much larger a reading of the later half may be than all before: an allocator does not keep the same each time."""
FEWEST = 4
"""Readings without which nothing can be said."""


@dataclass(frozen=True)
class MemoryTrend:
    """Readings of a process's memory, the first one when it was warm."""

    readings: Sequence[float]
    """In bytes."""
    cases: int
    """Requests, or whatever else was done, between two readings."""
    leak: float = LEAK
    noise: float = NOISE

    @property
    def growth(self) -> float:
        """The median growth for each case in the later half, in bytes."""
        steps = [after - before for before, after in pairwise(self.readings)]
        return median(steps[len(steps) // 2 :]) / self.cases

    @property
    def rise(self) -> float:
        """The largest reading of the later half, as a multiple of the largest one before."""
        half = len(self.readings) // 2
        return max(self.readings[half:]) / max(self.readings[:half])

    @property
    def is_level(self) -> bool:
        """Whether nothing leaks, and the later half has no step up; True if there are too few readings."""
        return len(self.readings) < FEWEST or (self.growth <= self.leak and self.rise <= self.noise)

    def __str__(self) -> str:
        megabytes = " ".join(f"{reading / 1e6:.0f}" for reading in self.readings)
        if len(self.readings) < FEWEST:
            return f"memory {megabytes} MB"
        verdict = "level" if self.is_level else "grows"
        return f"memory {verdict}: {megabytes} MB, {self.growth:+,.0f} bytes a case, {self.rise - 1:+.1%} at most"
