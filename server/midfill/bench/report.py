"""The report of a benchmark, in three forms: text for a terminal, JSON, and a Markdown page with plots."""

from __future__ import annotations

import importlib.metadata
import math
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from midfill import __version__
from midfill.bench.checkout import commit
from midfill.bench.figures import Figure, with_unit
from midfill.bench.keystrokes import Recording
from midfill.bench.machine import step_name
from midfill.bench.plan import Plan
from midfill.bench.replay import Keystroke
from midfill.common.plot import distribution, line_chart
from midfill.inference import cores, cpu
from midfill.inference.bundle import GRAPH, Bundle
from midfill.settings.schema import Settings

if TYPE_CHECKING:
    from midfill.bench.peer import LlamaServer

_OURS, _PEER = "midfill", "llama-server"
_PLOTTED_SECONDS = 1.0
_MAX_LOAD_PER_CORE = 0.5
_BUSY = "The machine was busy with other things ({:.1f} processes on {} cores): measure again when it is not."
_LIBRARIES = ("onnxruntime", "tokenizers", "numpy")


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """When, where and with which software the figures were measured."""

    date: str
    """UTC, in ISO 8601."""
    processor: str
    cores: int
    """Number of cores that this process may use."""
    threads: int
    """Number of threads that the model computes with."""
    load_average: float
    """Mean number of runnable processes in the minute before the benchmark. Other processes slow both sides down."""
    versions: dict[str, str]
    bundle: str
    """The name in the bundle's manifest."""
    quantisation: str
    peer: str = ""
    """The peer's build and command; "" without a peer."""
    commit: str = ""
    """The commit of the checkout that Midfill runs from; "" if it does not run from one."""
    graph_sha256: str = ""
    """The SHA-256 of the bundle's graph."""

    @property
    def is_busy(self) -> bool:
        """Whether other processes used so much of the processor that the figures cannot be trusted."""
        return self.load_average > self.cores * _MAX_LOAD_PER_CORE

    @classmethod
    def now(cls, bundle: Bundle, settings: Settings, load_average: float, peer: LlamaServer | None) -> Circumstances:
        """Describe this machine and the software that is measured."""
        libraries = {name: importlib.metadata.version(name) for name in _LIBRARIES}
        return cls(
            date=datetime.now(timezone.utc).isoformat(timespec="minutes"),
            processor=cpu.model_name(cpu.cpuinfo()),
            cores=cores.usable().hardware_threads,
            threads=settings.threads,
            load_average=load_average,
            versions={"midfill": __version__, "python": platform.python_version(), **libraries},
            bundle=bundle.manifest.name,
            quantisation=str(bundle.manifest.quantisation.get("scheme", "")),
            peer=f"{peer.build}: {peer.describe()}" if peer else "",
            commit=commit(),
            graph_sha256=bundle.manifest.files[GRAPH].sha256,
        )


@dataclass(frozen=True)
class BenchReport:
    """All results of one benchmark."""

    circumstances: Circumstances
    plan: Plan
    figures: list[Figure]
    recording: Recording


def load_average() -> float:
    """Return the mean number of runnable processes in the last minute."""
    return float(psutil.getloadavg()[0])


def to_text(report: BenchReport) -> str:
    """Return a table for a terminal, one line a figure."""
    rows = [_cells(figure) for figure in report.figures]
    if report.circumstances.peer:
        rows.insert(0, ("", _OURS, _PEER, "ratio", "", ""))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    table = "\n".join(
        "  ".join([name.ljust(widths[0]), *map(str.rjust, numbers, widths[1:]), *filter(None, remarks)]).rstrip()
        for name, *numbers, wanted, note in rows
        for remarks in ([wanted, note],)
    )
    about = report.circumstances
    return f"{table}\n{_BUSY.format(about.load_average, about.cores)}" if about.is_busy else table


def to_json(report: BenchReport) -> dict[str, Any]:
    """Return the report as JSON values; a keystroke without an answer has null seconds."""
    recording = report.recording
    return {
        "circumstances": asdict(report.circumstances),
        "plan": asdict(report.plan),
        "figures": [asdict(figure) for figure in report.figures],
        "keystrokes": {
            name: [_stroke_to_json(stroke) for stroke in strokes]
            for name, strokes in (
                ("served", recording.served),
                ("counted", recording.counted),
                ("peer", recording.peer),
            )
        },
    }


def write_markdown(report: BenchReport, path: Path) -> list[Path]:
    """Write the page, and its two plots into the same folder; return the paths of all three files."""
    steps, replay = (path.with_name(f"{path.stem}-{name}.svg") for name in ("steps", "replay"))
    steps.write_text(_steps_chart(report), encoding="utf-8", newline="\n")
    replay.write_text(_replay_chart(report), encoding="utf-8", newline="\n")
    path.write_text(_page(report, steps.name, replay.name), encoding="utf-8", newline="\n")
    return [path, steps, replay]


def _page(report: BenchReport, steps: str, replay: str) -> str:
    about, plan = report.circumstances, report.plan
    versions = ", ".join(f"{name} {version}" for name, version in about.versions.items())
    header = ["", _OURS, _PEER, "ratio", "wanted", ""] if about.peer else ["", _OURS, "", "", "", ""]
    lines = [
        f"# midfill bench, {about.date[:10]}",
        "",
        f"- machine: {about.processor}, {about.cores} cores, {about.threads} threads;"
        f" load average {about.load_average:.1f} before the start",
        *([f"- {_BUSY.format(about.load_average, about.cores)}"] if about.is_busy else []),
        f"- model: {about.bundle}, {about.quantisation}",
        f"- versions: {versions}",
        *([f"- peer: {about.peer}"] if about.peer else []),
        f"- each figure is the median of {plan.runs} runs; {plan.keys} keys are typed into each of {plan.scenes} files"
        f" of Python's standard library, one every {1000 * plan.key_seconds:.0f} ms",
        "",
        f"| {' | '.join(header)} |",
        "|---|--:|--:|--:|---|---|",
        *(f"| {' | '.join(_cells(figure))} |" for figure in report.figures),
        "",
        f"The ratio is {_OURS} divided by {_PEER}, measured in turns; of times, a smaller ratio is better.",
        "",
        f"![Time of a step by its number of tokens]({steps})",
        "",
        f"![Share of keystrokes with a right suggestion, by time]({replay})",
        "",
    ]
    return "\n".join(lines)


def _cells(figure: Figure) -> tuple[str, str, str, str, str, str]:
    """Return the cells of a figure's row: name, both values, ratio, the wanted ratio, note."""
    wanted = ""
    if figure.wanted and figure.ratio is not None:
        wanted = f"{figure.wanted}: {'reached' if figure.wanted.is_met_by(figure.ratio) else 'missed'}"
    return (
        figure.name,
        with_unit(figure.value, figure.unit),
        with_unit(figure.peer, figure.unit),
        "" if figure.ratio is None else f"{figure.ratio:.2f}",
        wanted,
        figure.note,
    )


def _stroke_to_json(stroke: Keystroke) -> dict[str, Any]:
    return {
        "rest": stroke.rest,
        "seconds": stroke.seconds if math.isfinite(stroke.seconds) else None,
        "suggestion": stroke.suggestion,
        "right": stroke.is_right,
        "tokens_computed": stroke.tokens_computed,
    }


def _steps_chart(report: BenchReport) -> str:
    figures = {figure.name: figure for figure in report.figures}
    steps = [(n, figures[step_name(n)]) for n in report.plan.steps]
    lines = {_OURS: [(n, figure.value) for n, figure in steps if figure.value is not None]}
    if report.circumstances.peer:
        lines[_PEER] = [(n, figure.peer) for n, figure in steps if figure.peer is not None]
    return line_chart("Time of a step", "tokens in the step", "ms", lines)


def _replay_chart(report: BenchReport) -> str:
    lines = {_OURS: _right_by_time(report.recording.served)}
    if report.recording.peer:
        lines[_PEER] = _right_by_time(report.recording.peer)
    title = "Keystrokes with a right suggestion"
    return line_chart(title, "ms after the keystroke", "% of keystrokes", lines, y_max=100)


def _right_by_time(strokes: Sequence[Keystroke]) -> Sequence[tuple[float, float]]:
    """Return the distribution of the time to a right suggestion, over the counted keystrokes."""
    counted = [stroke for stroke in strokes if stroke.counts]
    times = [1000 * stroke.seconds if stroke.is_right else math.inf for stroke in counted]
    return distribution(times, 1000 * _PLOTTED_SECONDS)
