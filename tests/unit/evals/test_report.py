"""The report of a suite of gaps."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from midfill.evals.report import EvalReport, Rate, TaskResult


def report(count: int, exact: int, passed: int) -> EvalReport:
    """Make a report whose tasks took 1, 2, 3... milliseconds, and a token each."""
    return EvalReport(
        suite="suite",
        selection="all",
        model="model",
        rows=tuple(
            TaskResult(
                task=f"task {number}",
                expected="x",
                completion="x" if number else "",
                exact=number < exact,
                similarity=1.0 if number < exact else 0.5,
                passed=number < passed,
                reason="",
                tokens=1,
                milliseconds=number + 1.0,
            )
            for number in range(count)
        ),
    )


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [
        # Newcombe (1998), table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson(count: int, total: int, low: float, high: float) -> None:
    """The interval is Wilson's: it agrees with published examples."""
    assert Rate(count, total).interval == pytest.approx((low, high), abs=5e-5)


def test_interval_of_certainty() -> None:
    """The interval never leaves the range from 0 to 1."""
    assert Rate(20, 20).interval[1] == 1.0


def test_json() -> None:
    """The JSON has the rates, the times and, when asked, the rows."""
    summary = json.loads(json.dumps(report(100, 60, 80).to_json()))
    assert summary["tasks"] == 100
    assert (summary["exact"]["count"], summary["exact"]["rate"]) == (60, 0.6)
    assert (summary["passed"]["count"], summary["passed"]["rate"]) == (80, 0.8)
    assert summary["milliseconds"] == {"median": 50.5, "p95": 95.0}
    assert (summary["model"], summary["empty"], summary["tokens"]) == ("model", 1, 100)
    assert "rows" not in summary
    assert len(report(2, 1, 1).to_json(rows=True)["rows"]) == 2


def test_text() -> None:
    """The text has the same figures."""
    text = report(100, 60, 80).to_text()
    assert "exact match    60.0% (60 of 100; 95% interval 50.2% to 69.1%)" in text
    assert "tests pass     80.0% (80 of 100; 95% interval 71.1% to 86.7%)" in text
    assert "median 50 ms, 95% within 95 ms" in text


def test_groups() -> None:
    """Each group has its own totals, in the order of the names; a group without tasks is named."""
    rows = report(4, 2, 2).rows
    grouped = tuple(replace(row, group=name) for row, name in zip(rows, ("b", "a", "b", "a"), strict=True))
    made = replace(report(4, 2, 2), rows=grouped, missing=("c",))
    assert list(made.groups) == ["a", "b"]
    assert made.groups["a"].similarity == 0.75
    summary = json.loads(json.dumps(made.to_json()))
    assert summary["groups"]["b"]["exact"]["count"] == 1
    assert summary["none_found"] == ["c"]
    lines = made.to_text().split("\n")
    assert lines[-1].split() == ["c", "none", "found"]
    assert "2 tasks,  50.0% exact,  50.0% pass,  75.0% similar" in lines[-3]


def test_nothing_to_run() -> None:
    """Without checks there is no share of passes."""
    rows = tuple(replace(row, passed=None) for row in report(4, 2, 2).rows)
    made = replace(report(4, 2, 2), rows=rows)
    assert made.to_json()["passed"] is None
    assert "tests pass" not in made.to_text()
    assert "similarity     75.0%" in made.to_text()
