"""The report of a team at one engine: a table with bars for a terminal, JSON, and a plot."""

from __future__ import annotations

from typing import Any

from midfill.bench.team import Level, TeamReport
from midfill.common.plot import line_chart

_HEADS = (
    ("developers", ""),
    ("answered", "in time"),
    ("right", ""),
    ("suggestion", "p50"),
    ("", "p95"),
    ("right one", "p50"),
    ("", "p95"),
    ("requests", ""),
    ("cancelled", ""),
    ("prompts", "reused"),
    ("tokens", "generated"),
    ("not seen", "by anyone"),
    ("memory", "each"),
)
_BAR = 40
_UNKNOWN = "-"


def to_text(report: TeamReport) -> str:
    """Return a table, one line a level, and below it a bar for each level's 95th percentile."""
    rows = [tuple(head for head, _ in _HEADS), tuple(head for _, head in _HEADS), *map(_cells, report.levels)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS))]
    table = "\n".join("  ".join(map(str.rjust, row, widths)).rstrip() for row in rows)
    pace = f"{report.plan.keys} keys each, one every {1000 * report.plan.key_seconds:.0f} ms"
    return f"{report.engine}; {pace}\n\n{table}\n\nmilliseconds to a suggestion, 95th percentile\n{_bars(report)}"


def to_json(report: TeamReport) -> dict[str, Any]:
    """Return the report as JSON values; what is unknown is null."""
    return {
        "engine": report.engine,
        "keys": report.plan.keys,
        "key_ms": 1000 * report.plan.key_seconds,
        "levels": [
            {
                "developers": level.developers,
                "seconds": level.seconds,
                "answered": level.answered,
                "right": level.right,
                "suggestion_ms": {"p50": level.first_ms(50), "p95": level.first_ms(95)},
                "right_ms": {"p50": level.right_ms(50), "p95": level.right_ms(95)},
                "requests": len(level.strokes),
                "cancelled": level.cancelled,
                "tokens_shown": level.shown_tokens,
                "tokens_generated": level.counts.generated if level.counts else None,
                "prompt_tokens": level.counts.prompts if level.counts else None,
                "prompt_tokens_reused": level.counts.reused if level.counts else None,
                "not_seen": level.wasted,
                "memory_mb": level.memory,
            }
            for level in report.levels
        ],
    }


def to_svg(report: TeamReport) -> str:
    """Draw the percentiles of both times against the number of developers."""
    lines = {
        f"{name}, p{percent}": [
            (float(level.developers), value) for level in report.levels if (value := of(level, percent)) is not None
        ]
        for name, of in (("a suggestion", Level.first_ms), ("a right one", Level.right_ms))
        for percent in (50, 95)
    }
    return line_chart("From a keystroke to a suggestion", "developers who type at once", "ms", lines)


def _cells(level: Level) -> tuple[str, ...]:
    times = (level.first_ms(50), level.first_ms(95), level.right_ms(50), level.right_ms(95))
    return (
        str(level.developers),
        f"{level.answered:.0%}",
        f"{level.right:.0%}",
        *(_UNKNOWN if value is None else f"{value:,.0f} ms" for value in times),
        f"{len(level.strokes):,}",
        f"{level.cancelled:,}",
        _share(level.reused),
        f"{level.counts.generated:,}" if level.counts else _UNKNOWN,
        _share(level.wasted),
        f"{level.memory:.0f} MB",
    )


def _share(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:.0%}"


def _bars(report: TeamReport) -> str:
    values = [(level.developers, level.first_ms(95)) for level in report.levels]
    longest = max((value for _, value in values if value is not None), default=1.0)
    width = len(str(report.levels[-1].developers))
    return "\n".join(
        f"{size:>{width}}  {_UNKNOWN}"
        if value is None
        else f"{size:>{width}}  {'█' * _length(value, longest)} {value:,.0f}"
        for size, value in values
    )


def _length(value: float, longest: float) -> int:
    return max(round(_BAR * value / longest), 1)
