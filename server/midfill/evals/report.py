"""What an evaluation found, for people and for programs."""

from __future__ import annotations

import dataclasses
import math
import statistics
from dataclasses import dataclass
from typing import Any

Z95 = 1.959964
"""Standard normal deviate of a two-sided 95% interval."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """The result of one task."""

    task: str
    expected: str
    completion: str
    exact: bool
    passed: bool
    reason: str
    """Why it did not pass; "" when it did."""
    tokens: int
    milliseconds: float


@dataclass(frozen=True)
class Rate:
    """How many of how many."""

    count: int
    total: int

    @property
    def value(self) -> float:
        """The share, from 0 to 1."""
        return self.count / self.total

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95% interval of the share."""
        spread = Z95**2 / self.total
        middle = (self.value + spread / 2) / (1 + spread)
        half = Z95 / (1 + spread) * math.sqrt(self.value * (1 - self.value) / self.total + spread / (4 * self.total))
        return max(0.0, middle - half), min(1.0, middle + half)

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {"count": self.count, "rate": self.value, "interval95": list(self.interval)}

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.1%} ({self.count} of {self.total}; 95% interval {low:.1%} to {high:.1%})"


@dataclass(frozen=True, kw_only=True)
class Report:
    """The results of a suite, of one task at least."""

    suite: str
    selection: str
    """Which of the suite's tasks were run, in words."""
    model: str
    rows: tuple[Row, ...]

    @property
    def exact(self) -> Rate:
        """How many completions are the line that was cut out."""
        return Rate(sum(row.exact for row in self.rows), len(self.rows))

    @property
    def passed(self) -> Rate:
        """How many completed programs pass their checks."""
        return Rate(sum(row.passed for row in self.rows), len(self.rows))

    @property
    def empty(self) -> int:
        """How many tasks got no suggestion at all."""
        return sum(not row.completion for row in self.rows)

    @property
    def tokens(self) -> int:
        """How many tokens were decoded in all."""
        return sum(row.tokens for row in self.rows)

    @property
    def median_milliseconds(self) -> float:
        """The time that half of the completions took at most."""
        return statistics.median(row.milliseconds for row in self.rows)

    @property
    def p95_milliseconds(self) -> float:
        """The time that 95% of the completions took at most."""
        return sorted(row.milliseconds for row in self.rows)[math.ceil(0.95 * len(self.rows)) - 1]

    def to_json(self, *, rows: bool = False) -> dict[str, Any]:
        """Return what JSON can hold, with the result of every task if ``rows``."""
        summary: dict[str, Any] = {
            "suite": self.suite,
            "selection": self.selection,
            "model": self.model,
            "tasks": len(self.rows),
            "exact": self.exact.to_json(),
            "passed": self.passed.to_json(),
            "empty": self.empty,
            "tokens": self.tokens,
            "milliseconds": {"median": self.median_milliseconds, "p95": self.p95_milliseconds},
        }
        if rows:
            summary["rows"] = [dataclasses.asdict(row) for row in self.rows]
        return summary

    def to_text(self) -> str:
        """Return a few lines for a terminal."""
        return "\n".join(
            (
                f"{self.suite}: {len(self.rows)} tasks ({self.selection}), model {self.model or 'unknown'}",
                f"  exact match    {self.exact}",
                f"  tests pass     {self.passed}",
                f"  no suggestion  {self.empty}",
                f"  time           median {self.median_milliseconds:.0f} ms, 95% within {self.p95_milliseconds:.0f} ms",
                f"  tokens         {self.tokens}",
            )
        )
