"""The history of benchmarks: a file with one JSON object a line, one line a run, oldest first.

Each line has the figures of a run and what one must know to compare them with those of another run.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from midfill.bench.report import BenchReport
from midfill.common.errors import UsageError
from midfill.common.os_errors import explain


@dataclass(frozen=True)
class HistoryFigure:
    """One figure of one run."""

    value: float | None
    """Midfill's value; None if there was nothing to measure."""
    unit: str
    peer: float | None = None
    """The peer's value; None without a peer."""


@dataclass(frozen=True, kw_only=True)
class HistoryEntry:
    """One run. The fields are those of :class:`midfill.bench.report.Circumstances`, except where they say more."""

    date: str
    version: str
    """Midfill's version."""
    commit: str
    processor: str
    cores: int
    threads: int
    load_average: float
    onnxruntime: str
    """onnxruntime's version."""
    bundle: str
    graph_sha256: str
    quantisation: str
    runs: int
    """Number of runs of each figure in this benchmark; the figure is their median."""
    peer: str
    figures: dict[str, HistoryFigure]
    """The figures by name."""

    @property
    def time(self) -> datetime:
        """The date as a point in time; a date without a time zone is local time."""
        return datetime.fromisoformat(self.date).astimezone(timezone.utc)


def entry_of(report: BenchReport) -> HistoryEntry:
    """Return the history's line for a report."""
    about = report.circumstances
    return HistoryEntry(
        date=about.date,
        version=about.versions["midfill"],
        commit=about.commit,
        processor=about.processor,
        cores=about.cores,
        threads=about.threads,
        load_average=round(about.load_average, 2),
        onnxruntime=about.versions["onnxruntime"],
        bundle=about.bundle,
        graph_sha256=about.graph_sha256,
        quantisation=about.quantisation,
        runs=report.plan.runs,
        peer=about.peer,
        figures={
            figure.name: HistoryFigure(_rounded(figure.value), figure.unit, _rounded(figure.peer))
            for figure in report.figures
        },
    )


def append(path: Path, entry: HistoryEntry) -> None:
    """Add a run at the end of the file, which is created if it does not exist."""
    line = json.dumps(dataclasses.asdict(entry), ensure_ascii=False, allow_nan=False)
    before = path.read_bytes() if path.exists() else b""
    with path.open("ab") as file:
        file.write(b"" if before.endswith(b"\n") or not before else b"\n")  # an editor may have removed the last one
        file.write(f"{line}\n".encode())


def read(path: Path) -> list[HistoryEntry]:
    """Return all runs of a history, in the order of the file.

    Raises:
        UsageError: the file cannot be read, or a line is not a run.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {explain(error)}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 (byte {error.start}): name a history that `bench` wrote.") from error
    entries = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                entries.append(_entry(json.loads(line)))
            except (ValueError, TypeError, LookupError, AttributeError) as error:
                raise UsageError(
                    f"{path}:{number}: this line is not a run of `bench`: correct or remove it."
                ) from error
    return entries


def _entry(data: dict[str, Any]) -> HistoryEntry:
    """Read an entry, without the fields that a newer Midfill may have added."""
    known = {field.name: data[field.name] for field in dataclasses.fields(HistoryEntry)}
    figures = {
        name: HistoryFigure(_number(figure["value"]), str(figure["unit"]), _number(figure.get("peer")))
        for name, figure in data["figures"].items()
    }
    entry = HistoryEntry(**{**known, "figures": figures})
    _ = entry.time  # fails now if the date is not one
    return entry


def _rounded(value: float | None) -> float | None:
    """Return a value with six significant digits, which is more than a measurement has."""
    return None if value is None else float(f"{value:.6g}")


def _number(value: object) -> float | None:
    if value is not None and not isinstance(value, (int, float)):
        raise TypeError
    return value
