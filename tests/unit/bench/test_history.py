"""The history of benchmarks: a line a run, read back as it was written, and drawn."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from midfill.bench.figures import Figure
from midfill.bench.history import HistoryEntry, HistoryFigure, append, entry_of, read
from midfill.bench.history_plot import draw
from midfill.bench.keystrokes import Recording
from midfill.bench.plan import Plan
from midfill.bench.report import BenchReport, Circumstances
from midfill.common.errors import UsageError

SVG = "{http://www.w3.org/2000/svg}"
ENTRY = HistoryEntry(
    date="2026-01-02T03:04+00:00",
    version="0.1.0",
    commit="0c407fa2cc51",
    processor="a processor",
    cores=2,
    threads=2,
    load_average=0.5,
    onnxruntime="1.22.0",
    bundle="a bundle",
    graph_sha256="ab" * 32,
    quantisation="int8",
    runs=3,
    peer="b1: llama-server -m model.gguf",
    figures={"load": HistoryFigure(1.5, "s", 2.0), "stop": HistoryFigure(None, "ms")},
)


def later(day: int, load: float, **changes: Any) -> HistoryEntry:
    """Return a run of another day, without a peer, which took ``load`` seconds to load."""
    figures = {"load": HistoryFigure(load, "s")}
    return replace(ENTRY, **{"date": f"2026-01-{day:02}T03:04+00:00", "figures": figures, "peer": "", **changes})


def charts(entries: list[HistoryEntry]) -> tuple[list[list[tuple[float, float]]], set[str | None]]:
    """Return the points of each line of a picture, and its texts."""
    root = ElementTree.fromstring(draw(entries))  # noqa: S314 (our own)
    lines = [line.attrib["points"].split() for line in root.iter(f"{SVG}polyline")]
    points = [[(float(x), float(y)) for x, _, y in (pair.partition(",") for pair in line)] for line in lines]
    return points, {element.text for element in root.iter(f"{SVG}text")}


def test_report_becomes_a_line() -> None:
    """The line has the figures, rounded, and what one must know to compare them."""
    about = Circumstances(
        date=ENTRY.date,
        processor="a processor",
        cores=2,
        threads=2,
        load_average=0.501,
        versions={"midfill": "0.1.0", "onnxruntime": "1.22.0", "numpy": "2"},
        bundle="a bundle",
        quantisation="int8",
        peer=ENTRY.peer,
        commit=ENTRY.commit,
        graph_sha256=ENTRY.graph_sha256,
    )
    figures = [
        Figure(name="load", unit="s", value=1.5000000001, peer=2.0, ratio=0.75),
        Figure(name="stop", unit="ms", value=None, note="nothing was cancelled"),
    ]
    assert entry_of(BenchReport(about, Plan(), figures, Recording())) == ENTRY


def test_lines_are_added_and_read_back(tmp_path: Path) -> None:
    """A run is one line of JSON; what is in the file stays."""
    file = tmp_path / "history.jsonl"
    append(file, ENTRY)
    first = file.read_text()
    assert json.loads(first)["figures"]["load"] == {"value": 1.5, "unit": "s", "peer": 2.0}
    append(file, later(3, 1.0))
    assert file.read_text().startswith(first)
    assert file.read_text().count("\n") == 2
    assert read(file) == [ENTRY, later(3, 1.0)]


def test_last_line_may_lack_its_newline(tmp_path: Path) -> None:
    """Two runs never share a line."""
    file = tmp_path / "history.jsonl"
    append(file, ENTRY)
    file.write_text(file.read_text().rstrip("\n"))
    append(file, ENTRY)
    assert read(file) == [ENTRY, ENTRY]


def test_fields_of_a_newer_version_are_ignored(tmp_path: Path) -> None:
    """So that an older Midfill can draw the history."""
    file = tmp_path / "history.jsonl"
    append(file, ENTRY)
    file.write_text(json.dumps({**json.loads(file.read_text()), "temperature": 40}))
    assert read(file) == [ENTRY]


@pytest.mark.parametrize(
    "line",
    [
        "no JSON",
        "[]",
        "{}",
        json.dumps({"figures": {}}),
        "{date}",
        "{figure}",
    ],
)
def test_damaged_line_is_named(line: str, tmp_path: Path) -> None:
    """One line says which."""
    file = tmp_path / "history.jsonl"
    append(file, ENTRY)
    good = file.read_text()
    bad = {"{date}": good.replace("2026-01-02", "yesterday"), "{figure}": good.replace("1.5", '"fast"')}
    file.write_text(good + bad.get(line, line))
    with pytest.raises(UsageError, match=r"history\.jsonl:2: this line is not a run of `bench`"):
        read(file)


def test_file_that_is_no_text(tmp_path: Path) -> None:
    """One line says what is wrong."""
    (tmp_path / "history.jsonl").write_bytes(b"\xff")
    with pytest.raises(UsageError, match=r"is not UTF-8 \(byte 0\)"):
        read(tmp_path / "history.jsonl")


def test_chart_shows_a_figure_over_time() -> None:
    """Later is further right, more is further up, whatever the order in the file; the newest value is written out."""
    [line], texts = charts([later(2, 1.0), later(4, 4.0), later(3, 2.0)])
    assert [x for x, _ in line] == sorted(x for x, _ in line)
    assert line[1][0] == pytest.approx((line[0][0] + line[2][0]) / 2, abs=0.1)
    assert line[0][1] > line[1][1] > line[2][1]
    assert {"load", "4.00 s", "2026-01-02", "2026-01-04"} <= texts


def test_peer_has_a_line_of_its_own() -> None:
    """It is dashed, and only charts of figures with a value are drawn."""
    lines, texts = charts([ENTRY])
    assert len(lines) == 2
    assert draw([ENTRY]).count("stroke-dasharray") == 1
    assert "dashed: llama-server" in texts
    assert "stop" not in texts


@pytest.mark.parametrize("change", [{"bundle": "b"}, {"processor": "b"}, {"cores": 9}, {"runs": 1}])
def test_runs_that_cannot_be_compared_are_not_joined(change: dict[str, Any]) -> None:
    """Each setup has a line and a colour, named above the charts."""
    entries = [later(2, 1.0), later(3, 9.0, **change), later(4, 1.0), later(5, 9.0, **change)]
    lines, texts = charts(entries)
    assert [len(line) for line in lines] == [2, 2]
    assert "a bundle, a processor, 2 cores, 3 runs a figure" in texts
    assert sum(str(text).endswith("a figure") for text in texts) == 2


def test_one_run_is_a_dot_in_the_middle() -> None:
    """A line through one point would be invisible."""
    [[(x, _)]], _ = charts([later(2, 1.0)])
    root = ElementTree.fromstring(draw([later(2, 1.0)]))  # noqa: S314 (our own)
    [dot] = root.iter(f"{SVG}circle")
    assert float(dot.attrib["cx"]) == x
    assert 200 < x < 260


def test_picture_adapts_to_a_dark_page() -> None:
    """Colours come from a style sheet that knows both."""
    picture = draw([ENTRY])
    assert "prefers-color-scheme:dark" in picture
    assert 'fill="white"' not in picture
