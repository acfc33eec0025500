"""The command ``midfill export``, and the suite ``midfill eval quant``, which belongs to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lengths import only_at_length
from midfill.cli.main import main
from midfill.inference.bundle import load_bundle
from midfill_export.build.compare_schemes import SCHEMES


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep bundles and notes of verified files out of the user's cache."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path_factory.mktemp("cache")))


def test_report(checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--json`` reports where the bundle is and what was measured; the stages are on standard error."""
    assert main(["export", str(checkpoint), "-o", str(tmp_path / "out"), "--json", "--edit-format", "zeta"]) == 0
    written = capsys.readouterr()
    report = json.loads(written.out)
    manifest = load_bundle(tmp_path / "out").manifest
    verification = manifest.verification
    assert manifest.edit_format == "zeta"
    assert report["path"] == str(tmp_path / "out")
    assert report["attention_nodes"] == 2
    assert report["top1_agreement"] == verification.top1_agreement
    stages = [line.split("GB")[1].split(":")[0].strip() for line in written.err.splitlines()]
    assert stages[0] == "source"
    assert stages[-3:] == ["calibration", "int8", "verify"]


def test_model_without_the_tokens_of_its_edit_format(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is refused before it is traced."""
    assert main(["export", str(checkpoint), "-o", str(tmp_path / "out"), "--edit-format", "sweep"]) == 1
    assert "no control tokens <|repo_name|> and <|file_sep|>" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@only_at_length
def test_as_a_suite(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``midfill eval quant`` has a row for each scheme, with the share of tasks that it passes."""
    assert main(["eval", "quant", "--source", str(checkpoint), "--limit", "1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["scheme"] for row in rows] == [scheme.name for scheme in SCHEMES]
    assert {row["passed"] for row in rows} <= {0.0, 1.0}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["quant", "--source", "nowhere.gguf"], "nowhere.gguf"),
        (["quant", "--lengths", "1000"], "--lengths is for the suite 'needle'."),
        (["languages", "--source", "some.gguf"], "--source is for the suite 'quant'."),
    ],
)
def test_wrong_use_of_the_suite(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line names the fault."""
    assert main(["eval", *arguments]) in (1, 2)
    errors = capsys.readouterr().err.strip().splitlines()
    assert said in errors[-1]
