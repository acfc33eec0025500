"""The three forms of a benchmark's report have the same content."""

from __future__ import annotations

import json
import math
from pathlib import Path

from midfill.bench.figures import Figure, Wanted
from midfill.bench.keystrokes import Recording
from midfill.bench.machine import step_name
from midfill.bench.plan import Plan
from midfill.bench.replay import Keystroke
from midfill.bench.report import BenchReport, Circumstances, to_json, to_text, write_markdown

FIGURES = [
    Figure(name="prefill", unit="tokens/s", value=1234.5, peer=100.0, ratio=12.345, wanted=Wanted(3.0)),
    Figure(name="first token", unit="ms", value=30.0, peer=40.0, ratio=0.75, wanted=Wanted(0.5, at_most=True)),
    Figure(name="stop", unit="ms", value=None, note="nothing was cancelled"),
    Figure(name=step_name(1), unit="ms", value=20.0, peer=25.0),
    Figure(name=step_name(2), unit="ms", value=21.0, peer=30.0),
]
STROKES = [Keystroke("b", 0.05, "b", 3), Keystroke("c", math.inf, "", None)]


def report(peer: str = "b1: llama-server -m model.gguf", load_average: float = 0.5) -> BenchReport:
    """Return a small report."""
    circumstances = Circumstances(
        date="2026-01-02T03:04+00:00",
        processor="a processor",
        cores=2,
        threads=2,
        load_average=load_average,
        versions={"midfill": "1"},
        bundle="a bundle",
        quantisation="int8",
        peer=peer,
    )
    strokes = STROKES if peer else []
    return BenchReport(circumstances, Plan(steps=(1, 2)), FIGURES, Recording(STROKES, STROKES, strokes))


def test_text_has_a_line_a_figure() -> None:
    """A line has both values, the ratio, and whether the wanted ratio is reached."""
    header, *lines = to_text(report()).splitlines()
    assert header.split() == ["midfill", "llama-server", "ratio"]
    assert " ".join(lines[0].split()) == "prefill 1,234.5 tokens/s 100.0 tokens/s 12.35 at least 3.0: reached"
    assert lines[1].endswith("0.75  at most 0.5: missed")
    assert lines[2].endswith(" nothing was cancelled")
    assert len(lines) == len(FIGURES)


def test_text_without_a_peer_has_no_header() -> None:
    """Without a peer there are no columns to name."""
    assert len(to_text(report(peer="")).splitlines()) == len(FIGURES)


def test_busy_machine_is_told(tmp_path: Path) -> None:
    """Figures are not to be trusted if other processes were computing."""
    warning = "The machine was busy with other things (3.0 processes on 2 cores): measure again when it is not."
    busy = report(load_average=3.0)
    assert to_text(busy).splitlines()[-1] == warning
    assert f"- {warning}\n" in write_markdown(busy, tmp_path / "busy.md")[0].read_text()
    assert warning not in to_text(report())


def test_json_holds_everything() -> None:
    """It has each keystroke, too; one without an answer has no time."""
    data = json.loads(json.dumps(to_json(report()), allow_nan=False))
    assert [figure["name"] for figure in data["figures"]] == [figure.name for figure in FIGURES]
    assert data["circumstances"]["processor"] == "a processor"
    assert data["plan"]["steps"] == [1, 2]
    assert [stroke["seconds"] for stroke in data["keystrokes"]["peer"]] == [0.05, None]
    assert [stroke["right"] for stroke in data["keystrokes"]["served"]] == [True, False]


def test_page_shows_figures_and_plots(tmp_path: Path) -> None:
    """The plots are files in the same folder, with a line for each side."""
    page, *plots = write_markdown(report(), tmp_path / "speed.md")
    text = page.read_text()
    assert "| prefill | 1,234.5 tokens/s | 100.0 tokens/s | 12.35 | at least 3.0: reached |  |" in text
    assert "a processor, 2 cores" in text
    assert [plot.name for plot in plots] == ["speed-steps.svg", "speed-replay.svg"]
    for plot in plots:
        assert f"({plot.name})" in text
        assert plot.read_text().count("<polyline") == 2


def test_plots_without_a_peer_have_one_line(tmp_path: Path) -> None:
    """It is Midfill's."""
    _, *plots = write_markdown(report(peer=""), tmp_path / "speed.md")
    assert [plot.read_text().count("<polyline") for plot in plots] == [1, 1]
