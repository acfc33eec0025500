"""`midfill bench` on the command line: wrong usage is reported before anything is measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from midfill.bench import benchmark
from midfill.bench.benchmark import PeerChoice
from midfill.bench.figures import Figure
from midfill.bench.history import read
from midfill.bench.keystrokes import Recording
from midfill.bench.plan import QUICK, Plan
from midfill.bench.report import BenchReport, Circumstances
from midfill.cli.main import main


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Replace the measurements; return the plan and the peer that they were called with."""
    calls: list[Any] = []

    def run(settings: Any, progress: Any, plan: Plan, peer: PeerChoice | None) -> BenchReport:
        calls.extend([plan, peer])
        progress("nothing")
        about = Circumstances(
            date="2026-01-02T03:04+00:00",
            processor="a processor",
            cores=1,
            threads=1,
            load_average=0.0,
            versions={"midfill": "1", "onnxruntime": "2"},
            bundle="",
            quantisation="",
        )
        return BenchReport(about, Plan(steps=()), [Figure(name="load", unit="s", value=1.0)], Recording())

    monkeypatch.setattr(benchmark, "run", run)
    return calls


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--peer", "/bin/llama-server"], "'/bin/llama-server' is not a peer: write llama-server=PATH."),
        (["--peer", "other=/bin/other"], "'other=/bin/other' is not a peer: write llama-server=PATH."),
        (["--peer", "llama-server="], "'llama-server=' is not a peer: write llama-server=PATH."),
        (["--peer-model", "a.gguf"], "--peer-model goes with --peer llama-server=PATH."),
        (["--report", "/no/such/folder/a.md"], "there is no folder /no/such/folder for the report."),
        (["--history", "/no/such/folder/h.jsonl"], "there is no folder /no/such/folder for the history."),
        (["--history", "/dev"], "/dev cannot be read: Is a directory."),
        (["--shared", "--key-ms", "9"], "--shared measures one thing only: leave out --key-ms."),
        (["-o", "a.svg"], "-o goes with --plot-history FILE or --team N."),
        (["--plot-history", "h.jsonl"], "--plot-history needs -o FILE.svg, the picture to write."),
        (["--plot-history", "h", "-o", "a.svg", "--quick"], "--plot-history measures nothing: leave out --quick."),
        (
            ["--plot-history", "h", "-o", "a.svg", "--key-ms", "9"],
            "--plot-history measures nothing: leave out --key-ms.",
        ),
        (["--plot-history", "/no/h", "-o", "a.svg"], "/no/h cannot be read: No such file or directory."),
        (
            ["--plot-history", "/dev/null", "-o", "a.svg"],
            "/dev/null has no runs: add one with `midfill bench --history FILE`.",
        ),
    ],
)
def test_wrong_usage_is_one_line(
    arguments: list[str], complaint: str, asked: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """It is reported at once, with exit code 2."""
    assert main(["bench", *arguments]) == 2
    assert capsys.readouterr().err == f"midfill: {complaint}\n"
    assert not asked


def test_text_goes_to_stdout_and_stages_to_stderr(asked: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    """By default everything is measured, without a peer."""
    assert main(["bench"]) == 0
    printed = capsys.readouterr()
    assert printed.out.split() == ["load", "1.00", "s"]
    assert printed.err == "measuring: nothing\n"
    assert asked == [Plan(), None]


def test_options_reach_the_measurements(asked: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Typing speed, peer and its model, JSON and the page."""
    page = tmp_path / "page.md"
    options = ["--quick", "--key-ms", "50", "--peer", "llama-server=/bin/ls=x", "--peer-model", "m.gguf"]
    assert main(["bench", *options, "--json", "--report", str(page)]) == 0
    assert json.loads(capsys.readouterr().out)["figures"][0]["name"] == "load"
    plan, peer = asked
    assert (plan.runs, plan.key_seconds) == (QUICK.runs, 0.05)
    assert peer == PeerChoice(Path("/bin/ls=x"), Path("m.gguf"))
    assert page.read_text().startswith("# midfill bench, 2026-01-02")


def test_each_run_adds_a_line_to_the_history(
    asked: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report is printed all the same; the picture is drawn from the file."""
    file, picture = tmp_path / "history.jsonl", tmp_path / "history.svg"
    assert main(["bench", "--history", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["figures"][0]["name"] == "load"
    assert main(["bench", "--history", str(file)]) == 0
    assert [entry.figures["load"].value for entry in read(file)] == [1.0, 1.0]
    assert main(["bench", "--plot-history", str(file), "-o", str(picture)]) == 0
    assert ">load</text>" in picture.read_text()
    assert len(asked) == 4


def test_damaged_history_is_found_before_measuring(
    asked: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is measured, and the file stays as it is."""
    file = tmp_path / "history.jsonl"
    file.write_text("{}\n")
    assert main(["bench", "--history", str(file)]) == 2
    assert capsys.readouterr().err == f"midfill: {file}:1: this line is not a run of `bench`: correct or remove it.\n"
    assert (asked, file.read_text()) == ([], "{}\n")
