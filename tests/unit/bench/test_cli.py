"""`midfill bench` on the command line: what is wrong is told before anything is measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from midfill import bench
from midfill.bench.keystrokes import Recording
from midfill.bench.report import BenchReport, Circumstances
from midfill.cli.main import main


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Stand in for the measurements; return what they were asked for: a plan and a peer."""
    calls: list[Any] = []

    def run(settings: Any, progress: Any, plan: bench.Plan, peer: bench.PeerChoice | None) -> BenchReport:
        calls.extend([plan, peer])
        progress("nothing")
        about = Circumstances(
            date="2026-01-02T03:04+00:00",
            processor="a processor",
            cores=1,
            threads=1,
            load_average=0.0,
            versions={},
            bundle="",
            quantisation="",
        )
        return BenchReport(about, bench.Plan(steps=()), [bench.Figure(name="load", unit="s", value=1.0)], Recording())

    monkeypatch.setattr(bench, "run", run)
    return calls


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--peer", "/bin/llama-server"], "'/bin/llama-server' is no peer: write llama-server=PATH."),
        (["--peer", "other=/bin/other"], "'other=/bin/other' is no peer: write llama-server=PATH."),
        (["--peer", "llama-server="], "'llama-server=' is no peer: write llama-server=PATH."),
        (["--peer-model", "a.gguf"], "--peer-model goes with --peer llama-server=PATH."),
        (["--report", "/no/such/folder/a.md"], "there is no folder /no/such/folder for the report."),
    ],
)
def test_wrong_usage_is_one_line(
    arguments: list[str], complaint: str, asked: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """Told at once, with exit code 2."""
    assert main(["bench", *arguments]) == 2
    assert capsys.readouterr().err == f"midfill: {complaint}\n"
    assert not asked


def test_text_goes_to_stdout_and_stages_to_stderr(asked: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    """By default everything is measured, ours alone."""
    assert main(["bench"]) == 0
    printed = capsys.readouterr()
    assert printed.out.split() == ["load", "1.00", "s"]
    assert printed.err == "measuring: nothing\n"
    assert asked == [bench.Plan(), None]


def test_options_reach_the_measurements(asked: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Pace, peer and its model, JSON and the page."""
    page = tmp_path / "page.md"
    options = ["--quick", "--key-ms", "50", "--peer", "llama-server=/bin/ls=x", "--peer-model", "m.gguf"]
    assert main(["bench", *options, "--json", "--report", str(page)]) == 0
    assert json.loads(capsys.readouterr().out)["figures"][0]["name"] == "load"
    plan, peer = asked
    assert (plan.runs, plan.key_seconds) == (bench.QUICK.runs, 0.05)
    assert peer == bench.PeerChoice(Path("/bin/ls=x"), Path("m.gguf"))
    assert page.read_text().startswith("# midfill bench, 2026-01-02")
