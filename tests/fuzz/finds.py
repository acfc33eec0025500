"""What a fuzzing run finds: each find has a kind, and the command that repeats it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from memory_trend import LEAK, MemoryTrend

READINGS = 10
"""Readings of the memory in a run."""
_NOISE = 1.1
"""How much larger a later reading may be than the first one: hostile documents leave memory in pieces."""


@dataclass(frozen=True)
class Find:
    """Something that must not happen."""

    run: str
    """``messages``, ``bundles`` or ``workspaces``."""
    kind: str
    """What happened, in a few words that are the same for each of its kind."""
    seed: int
    """The case."""
    detail: str = ""

    def __str__(self) -> str:
        return f"FIND  {self.kind}: {self.detail}\n      nox -s fuzz -- {self.run} --first {self.seed} --count 1"


@dataclass
class Tally:
    """The figures of one run."""

    run: str
    cases: int = 0
    answered: int = 0
    """Requests and files that were answered as they should be."""
    finds: list[Find] = field(default_factory=list)
    cases_a_reading: int = 1
    """Cases between two readings of the memory."""
    leak: float = LEAK
    """Bytes by which the memory may grow with each case."""
    memory: list[float] = field(default_factory=list)
    """Bytes of the server's own, read at intervals, for a run that has one server for all its cases."""

    def find(self, kind: str, seed: int, detail: str = "") -> Find:
        """Note a find."""
        found = Find(self.run, kind, seed, detail)
        self.finds.append(found)
        return found

    @property
    def trend(self) -> MemoryTrend:
        """What the memory does."""
        return MemoryTrend(self.memory, self.cases_a_reading, self.leak, _NOISE)

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found, and the memory is level."""
        return not self.finds and self.trend.is_level

    def __str__(self) -> str:
        kinds = Counter(found.kind for found in self.finds)
        listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()) or "no finds"
        memory = f"; {self.trend}" if self.memory else ""
        return f"{self.run}: {self.cases:,} cases, {self.answered:,} answered, {listed}{memory}"
