"""The table of schemes: every one is written, runs, and is told apart by what it keeps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from midfill.cli.main import main
from midfill_export.build.compare_schemes import SCHEMES, Row, compare_schemes, to_json, to_text


@pytest.fixture(scope="module")
def rows(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """Compare all schemes on the tiny model, without an evaluation."""
    folder = tmp_path_factory.mktemp("compare")
    rows = compare_schemes(str(checkpoint), folder / "out", 0, lambda _: None)
    assert list(folder.iterdir()) == []  # all was scratch
    return rows


def test_every_scheme_is_measured(rows: list[Row]) -> None:
    """Each scheme has a size, an agreement and speeds of several rounds."""
    assert [row.scheme for row in rows] == [scheme.name for scheme in SCHEMES]
    assert all(row.bytes > 0 and len(row.prefill) == len(row.decode) == 3 for row in rows)
    assert all(speed > 0 for row in rows for speed in (*row.prefill, *row.decode))


def test_what_is_kept(rows: list[Row]) -> None:
    """FP32 agrees with itself; a scale per row keeps more than a scale per tensor, and 8 bits more than 4."""
    kl = {row.scheme: row.mean_kl for row in rows}
    assert rows[0].top1 == 1.0
    assert rows[0].mean_kl < 1e-9
    assert kl["int8, a scale per row"] < kl["int8, a scale per tensor"]
    assert kl["int8 in blocks of 32"] < kl["int4 in blocks of 32"]


def test_table(rows: list[Row]) -> None:
    """A person reads a Markdown table with a line a scheme; a program gets the same rows."""
    lines = to_text(rows).splitlines()
    assert len(lines) == 2 + len(rows)
    assert len({line.count("|") for line in lines}) == 1
    assert [row["scheme"] for row in to_json(rows)] == [row.scheme for row in rows]


def test_as_a_suite(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``midfill eval quant`` has the same rows, each with the share of gaps that it fills rightly."""
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
