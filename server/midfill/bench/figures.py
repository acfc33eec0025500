"""A figure is one measured number with its unit, for Midfill and, if there is one, for the peer.

The speed of a shared machine can change by a fifth within minutes. So the two sides are measured in turns, and the
ratio is the median of the ratios of each turn, not the ratio of the two medians.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Measure = Callable[[], float]


@dataclass(frozen=True)
class Wanted:
    """The ratio of Midfill's figure to the peer's that we want to reach."""

    ratio: float
    at_most: bool = False
    """True if a smaller ratio is better, as it is for times."""

    def is_met_by(self, ratio: float) -> bool:
        """Return whether ``ratio`` is at least as good as the wanted one."""
        return ratio <= self.ratio if self.at_most else ratio >= self.ratio

    def __str__(self) -> str:
        return f"{'at most' if self.at_most else 'at least'} {self.ratio:.1f}"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured number."""

    name: str
    unit: str
    value: float | None
    """Midfill's value; None if there was nothing to measure, and then ``note`` says why."""
    peer: float | None = None
    """The peer's value; None without a peer."""
    ratio: float | None = None
    """Midfill's value divided by the peer's."""
    wanted: Wanted | None = None
    note: str = ""


@dataclass
class Samples:
    """The values of all runs of one figure."""

    ours: list[float] = field(default_factory=list)
    peer: list[float] = field(default_factory=list)

    def take(self, ours: Measure, peer: Measure | None = None) -> None:
        """Measure Midfill once, then the peer once."""
        self.ours.append(ours())
        if peer is not None:
            self.peer.append(peer())

    @property
    def ratio(self) -> float | None:
        """The median, over all turns, of Midfill's value divided by the peer's; None without a peer."""
        pairs = [ours / peer for ours, peer in zip(self.ours, self.peer, strict=True) if peer] if self.peer else []
        return statistics.median(pairs) if pairs else None

    def figure(self, name: str, unit: str, wanted: Wanted | None = None) -> Figure:
        """Return the figure that these runs make: the medians of both sides."""
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
    """Measure each side ``runs`` times, in turns."""
    samples = Samples()
    for _ in range(runs):
        samples.take(ours, peer)
    return samples


def median(values: Sequence[float]) -> float | None:
    """Return the median; None if there are no values."""
    return statistics.median(values) if values else None


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Return the percentile by the nearest-rank method; None if it is infinite, or if there are no values."""
    if not values:
        return None
    found = sorted(values)[max(math.ceil(percent / 100 * len(values)), 1) - 1]
    return found if math.isfinite(found) else None


def with_unit(value: float | None, unit: str) -> str:
    """Return a value with its unit; "" if there is no value."""
    return "" if value is None else f"{value:,.{2 if value < 10 else 1}f} {unit}"


def ratio_of(ours: float | None, peer: float | None) -> float | None:
    """Divide Midfill's value by the peer's; None if one of them is missing, or if the peer's is zero."""
    return None if ours is None or not peer else ours / peer
