"""`midfill bench --quick` over the real bundle, as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lengths import only_at_length


@pytest.mark.bundle
@only_at_length
def test_quick_bench_measures_the_real_model(bundle: Path, tmp_path: Path) -> None:
    """It prints every figure as JSON, types real keys into a real server, and writes its page."""
    page = tmp_path / "bench.md"
    command = [sys.executable, "-m", "midfill", "bench", "--quick", "--json", "--report", str(page)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    figures = {figure["name"]: figure for figure in report["figures"]}
    for name in ("load", "prefill of 512 tokens", "first token, after a keystroke", "stop after a cancel"):
        assert figures[name]["value"] > 0
    assert len(report["keystrokes"]["served"]) == report["plan"]["keys"]
    assert all(stroke["tokens_computed"] is not None for stroke in report["keystrokes"]["counted"])
    assert "prefill of 512 tokens" in page.read_text()
