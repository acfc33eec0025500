"""Every quantization scheme is written, runs, and has its own accuracy."""

from __future__ import annotations

from pathlib import Path

import pytest

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
