"""Which part of the processor this process may use, and how many threads suit it before anything was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import psutil

from midfill.inference import cpu_quota, topology
from midfill.inference.topology import Core

_EQUAL = 0.8
"""Cores count as equal from this part of the fastest one's speed. Cores of one kind differ a little, too."""
_MIN_GAIN = 1.3
"""Slower cores are used only if all are together this much faster. Else they mostly keep the fast ones waiting."""


class Threads(NamedTuple):
    """A number of threads for a model."""

    number: int
    why: str
    """The reason, as the end of a sentence."""


@dataclass(frozen=True)
class UsableCores:
    """The part of the processor that this process may use."""

    cores: tuple[Core, ...]
    """The cores that it may run on, each with the hardware threads that it may run on."""
    quota: float | None = None
    """Number of cores whose time it may use; None without a limit."""

    @property
    def hardware_threads(self) -> int:
        """Number of hardware threads that it may run on."""
        return sum(len(core.threads) for core in self.cores)

    @property
    def fast(self) -> tuple[Core, ...]:
        """The cores that are worth a thread.

        An operator ends when its slowest thread does, so n cores are together n times as fast as the slowest of them.
        """
        fastest = max(core.speed for core in self.cores)
        best = [core for core in self.cores if core.speed >= _EQUAL * fastest]
        for speed in sorted({core.speed for core in self.cores}, reverse=True):
            wider = [core for core in self.cores if core.speed >= speed]
            if len(wider) * speed > _MIN_GAIN * len(best) * min(core.speed for core in best):
                best = wider
        return tuple(best)

    @property
    def key(self) -> str:
        """A short text that differs where other cores or another quota are usable."""
        mask = sum(1 << thread for core in self.cores for thread in core.threads)
        return f"{mask:x}" if self.quota is None else f"{mask:x}/{self.quota:g}"

    def default_threads(self) -> Threads:
        """Return one thread for each fast core, and no more than the quota allows."""
        fast, all_cores = len(self.fast), len(self.cores)
        if self.quota is not None and self.quota < fast:
            return Threads(max(int(self.quota), 1), f"this process may use the time of {self.quota:g} cores")
        if fast < all_cores:
            return Threads(fast, f"one for each of the {fast} fastest of {all_cores} cores")
        return Threads(fast, "one for each core that this process may run on")


def usable() -> UsableCores:
    """Return what this process may use now."""
    return restricted(topology.read(), _affinity(), cpu_quota.quota())


def restricted(cores: list[Core], affinity: frozenset[int], quota: float | None) -> UsableCores:
    """Return the part of ``cores`` that a process may use.

    Args:
        cores: all cores of the machine.
        affinity: the hardware threads that it may run on; empty if that is not known.
        quota: number of cores whose time it may use; None without a limit.
    """
    if affinity:
        described = frozenset().union(*(core.threads for core in cores))
        cores = [Core(core.threads & affinity, core.speed) for core in cores if core.threads & affinity]
        cores += [Core(frozenset((thread,))) for thread in affinity - described]
    return UsableCores(tuple(cores), quota)


def _affinity() -> frozenset[int]:
    """Return the hardware threads that this process may run on; empty if the system does not say."""
    try:
        return frozenset(psutil.Process().cpu_affinity())
    except (AttributeError, OSError, psutil.Error):  # macOS has no affinity
        return frozenset()
