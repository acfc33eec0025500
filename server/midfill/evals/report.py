"""The report of a suite of gaps, as text and as JSON, and the rates that all reports use."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Z95 = 1.959964
"""Standard normal deviate of a two-sided 95% interval."""


class SuiteReport(Protocol):
    """The report of any suite."""

    def to_json(self, *, rows: bool = False) -> dict[str, Any]:
        """Return the report as JSON values, with the result of every task if ``rows``."""

    def to_text(self) -> str:
        """Return a few lines for a terminal."""


@dataclass(frozen=True, kw_only=True)
class TaskResult:
    """The result of one task."""

    task: str
    """The task's name."""
    group: str = ""
    expected: str
    completion: str
    exact: bool
    similarity: float
    """Edit similarity of completion and expected text, from 0 to 1."""
    passed: bool | None
    """Whether the completed program passes its checks; None if it has none."""
    reason: str
    """Why the program did not pass, or why there is no completion; otherwise ""."""
    tokens: int
    """Number of generated tokens."""
    milliseconds: float


@dataclass(frozen=True)
class Rate:
    """A share: ``count`` of ``total``."""

    count: int
    total: int

    @property
    def value(self) -> float:
        """The share, from 0 to 1; 0 if ``total`` is 0."""
        return self.count / self.total if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95% interval of the share."""
        if not self.total:
            return 0.0, 1.0
        spread = Z95**2 / self.total
        middle = (self.value + spread / 2) / (1 + spread)
        half = Z95 / (1 + spread) * math.sqrt(self.value * (1 - self.value) / self.total + spread / (4 * self.total))
        return max(0.0, middle - half), min(1.0, middle + half)

    def to_json(self) -> dict[str, Any]:
        """Return the share as JSON values."""
        return {"count": self.count, "rate": self.value, "interval95": list(self.interval)}

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.1%} ({self.count} of {self.total}; 95% interval {low:.1%} to {high:.1%})"


@dataclass(frozen=True)
class Scores:
    """The totals of some results; there is at least one result."""

    rows: Sequence[TaskResult]

    @property
    def exact(self) -> Rate:
        """The share of completions that are the cut-out text."""
        return Rate(sum(row.exact for row in self.rows), len(self.rows))

    @property
    def passed(self) -> Rate:
        """The share of programs that pass their checks, of those that have checks."""
        run = [row.passed for row in self.rows if row.passed is not None]
        return Rate(sum(run), len(run))

    @property
    def similarity(self) -> float:
        """The mean edit similarity, from 0 to 1."""
        return statistics.fmean(row.similarity for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """Return the totals as JSON values."""
        return {
            "tasks": len(self.rows),
            "exact": self.exact.to_json(),
            "passed": self.passed.to_json() if self.passed.total else None,
            "similarity": self.similarity,
        }


@dataclass(frozen=True, kw_only=True)
class EvalReport:
    """The results of a suite of gaps; there is at least one result."""

    suite: str
    selection: str
    """Which of the suite's tasks were run, in words."""
    model: str
    rows: tuple[TaskResult, ...]
    missing: tuple[str, ...] = ()
    """Groups for which this machine has no files."""

    @property
    def exact(self) -> Rate:
        """See :attr:`Scores.exact`."""
        return Scores(self.rows).exact

    @property
    def passed(self) -> Rate:
        """See :attr:`Scores.passed`."""
        return Scores(self.rows).passed

    @property
    def groups(self) -> dict[str, Scores]:
        """The totals of each group, by its name; empty if all results are in one group."""
        names = dict.fromkeys(row.group for row in self.rows)
        return {
            name: Scores([row for row in self.rows if row.group == name]) for name in sorted(names) if len(names) > 1
        }

    @property
    def empty(self) -> int:
        """Number of tasks without a suggestion."""
        return sum(not row.completion for row in self.rows)

    @property
    def tokens(self) -> int:
        """Number of generated tokens of all tasks."""
        return sum(row.tokens for row in self.rows)

    @property
    def median_milliseconds(self) -> float:
        """The median time of a completion."""
        return statistics.median(row.milliseconds for row in self.rows)

    @property
    def p95_milliseconds(self) -> float:
        """The 95th percentile of the time of a completion."""
        return sorted(row.milliseconds for row in self.rows)[math.ceil(0.95 * len(self.rows)) - 1]

    def to_json(self, *, rows: bool = False) -> dict[str, Any]:
        """Return the report as JSON values, with the result of every task if ``rows``."""
        summary: dict[str, Any] = {
            "suite": self.suite,
            "selection": self.selection,
            "model": self.model,
            **Scores(self.rows).to_json(),
            "groups": {name: scores.to_json() for name, scores in self.groups.items()},
            "none_found": list(self.missing),
            "empty": self.empty,
            "tokens": self.tokens,
            "milliseconds": {"median": self.median_milliseconds, "p95": self.p95_milliseconds},
        }
        if rows:
            summary["rows"] = [dataclasses.asdict(row) for row in self.rows]
        return summary

    def to_text(self) -> str:
        """Return a few lines for a terminal."""
        lines = [
            f"{self.suite}: {len(self.rows)} tasks ({self.selection}), model {self.model or 'unknown'}",
            f"  exact match    {self.exact}",
        ]
        if self.passed.total:
            lines.append(f"  tests pass     {self.passed}")
        lines += [
            f"  similarity     {Scores(self.rows).similarity:.1%}",
            f"  no suggestion  {self.empty}",
            f"  time           median {self.median_milliseconds:.0f} ms, 95% within {self.p95_milliseconds:.0f} ms",
            f"  tokens         {self.tokens}",
        ]
        for name, scores in self.groups.items():
            passed = f", {scores.passed.value:6.1%} pass" if scores.passed.total else ""
            lines.append(
                f"  {name:<16} {len(scores.rows):4} tasks, {scores.exact.value:6.1%} exact{passed},"
                f" {scores.similarity:6.1%} similar"
            )
        lines += [f"  {name:<16} none found" for name in self.missing]
        return "\n".join(lines)
