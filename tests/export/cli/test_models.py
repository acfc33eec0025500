"""The command ``midfill models``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from midfill.cli.main import main
from midfill_export.choice import machine
from midfill_export.choice.machine import Machine
from midfill_export.weights.known_models import WEIGHTS

FAST = Machine(bytes_per_second=4e10, products_per_second=8e11, memory=12 * 10**9, disk=10**11, how="made up")


@pytest.fixture(autouse=True)
def made_up_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Show what the models would take on a machine that is known."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("midfill_export.cli.models.this_machine", lambda _bundles, _bundle: FAST)
    monkeypatch.setattr(machine, "this_machine", lambda _bundles, _bundle: FAST)


def test_table(capsys: pytest.CaptureFixture[str]) -> None:
    """It has a line for each model, the best is marked, and a hash that is not pinned is told."""
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-len(line.split()) + (line[0] == "*")] for line in lines[1 : len(WEIGHTS) + 1]] == list(
        WEIGHTS
    )
    (marked,) = (line for line in lines if line.startswith("*"))
    assert marked.split()[1:4] == ["1.5b", "1.5B", "1,117"]
    assert any("stable-code-3b" in line and "hash not pinned" in line for line in lines)
    assert "`midfill pull auto` takes 1.5b (*)." in lines


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Everything that is known is in it."""
    assert main(["models", "--json"]) == 0
    written = json.loads(capsys.readouterr().out)
    assert written["best"] == "1.5b"
    by_name = {entry["name"]: entry for entry in written["models"]}
    assert list(by_name) == list(WEIGHTS)
    assert by_name["3b"]["commercial"] == "no"
    assert by_name["codellama-7b"]["commercial"] == "on terms"
    assert by_name["0.5b"]["expected"]["keystroke_ms"] > 0
    assert by_name["mellum-4b"]["expected"] is None


def test_pull_auto_takes_the_best(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """It asks nothing, and says in one line what it takes, and why."""
    monkeypatch.setattr("midfill_export.cli.pull._from_source", lambda weights, _: (weights, tmp_path / weights.name))
    assert main(["pull", "auto", "--weights-only"]) == 0
    written = capsys.readouterr()
    assert written.out == f"{tmp_path / '1.5b'}\n"
    assert written.err.splitlines()[0].startswith("1.5b, the best that this machine carries: 2185 MB of memory, a ")
