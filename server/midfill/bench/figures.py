"""A figure: what was measured, in a unit, ours beside the peer's.

The speed of a shared machine drifts by a fifth within minutes, so ours and the peer's are taken in turns, and their
ratio is the median of the ratios of neighbours, not the ratio of the medians.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Measure = Callable[[], float]


@dataclass(frozen=True)
class Wanted:
    """What the ratio of ours to the peer's should be."""

    ratio: float
    at_most: bool = False

    def is_met_by(self, ratio: float) -> bool:
        """Whether ``ratio`` is as good as wanted, or better."""
        return ratio <= self.ratio if self.at_most else ratio >= self.ratio

    def __str__(self) -> str:
        return f"{'at most' if self.at_most else 'at least'} {self.ratio:.1f}"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number."""

    name: str
    unit: str
    value: float | None
    """None when there was nothing to measure; ``note`` says why."""
    peer: float | None = None
    ratio: float | None = None
    """Ours divided by the peer's."""
    wanted: Wanted | None = None
    note: str = ""


@dataclass
class Samples:
    """The runs of one figure."""

    ours: list[float] = field(default_factory=list)
    peer: list[float] = field(default_factory=list)

    def take(self, ours: Measure, peer: Measure | None = None) -> None:
        """Measure ours, then the peer's."""
        self.ours.append(ours())
        if peer is not None:
            self.peer.append(peer())

    @property
    def ratio(self) -> float | None:
        """The median of ours divided by the peer's of the same turn."""
        pairs = [ours / peer for ours, peer in zip(self.ours, self.peer, strict=True) if peer] if self.peer else []
        return statistics.median(pairs) if pairs else None

    def figure(self, name: str, unit: str, wanted: Wanted | None = None) -> Figure:
        """Return the medians."""
        return Figure(
            name=name,
            unit=unit,
            value=median(self.ours),
            peer=median(self.peer),
            ratio=self.ratio,
            wanted=wanted,
            note="" if self.ours else "nothing was measured",
        )


def take_turns(runs: int, ours: Measure, peer: Measure | None = None) -> Samples:
    """Measure ``runs`` times, ours and the peer's in turns."""
    samples = Samples()
    for _ in range(runs):
        samples.take(ours, peer)
    return samples


def median(values: Sequence[float]) -> float | None:
    """Return the median; None of nothing."""
    return statistics.median(values) if values else None


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Return the value that ``percent`` of the values do not exceed (nearest rank); None when that is infinite."""
    if not values:
        return None
    found = sorted(values)[max(math.ceil(percent / 100 * len(values)), 1) - 1]
    return found if math.isfinite(found) else None


def ratio_of(ours: float | None, peer: float | None) -> float | None:
    """Divide ours by the peer's; None when either is missing or the peer's is zero."""
    return None if ours is None or not peer else ours / peer
