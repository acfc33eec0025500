"""The benchmark over the tiny bundle: it measures what it says, without asking for any speed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from midfill import bench
from midfill.settings import Settings


def test_bench_measures_every_figure(bundle_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each figure is a positive number with a unit, and both reports hold them all."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path))
    stages: list[str] = []
    settings = Settings(bundle=bundle_folder, max_tokens=8, context_tokens=128, deadline_ms=0)
    figures = bench.run(settings, stages.append, prefills=(32, 300), contexts=(16,))
    names = [figure.name for figure in figures]
    assert {"load", "prefill of 300 tokens", "decode after 16 tokens", "step of 8 tokens after 16"} <= set(names)
    assert all(figure.value >= 0 and figure.unit for figure in figures)
    assert [row["name"] for row in json.loads(json.dumps(bench.to_json(figures)))] == names
    assert len(bench.to_text(figures).splitlines()) == len(names)
    assert "prefill" in stages
