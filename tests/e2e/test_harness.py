"""The scripts in tests/harness, as anybody's CI runs them, with the real model."""

from __future__ import annotations

from pathlib import Path

import pytest

from midfill.cli.main import main

SCRIPTS = sorted((Path(__file__).parents[1] / "harness").glob("*.yaml"))


@pytest.mark.bundle
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_script(
    bundle: Path, script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """All that a script expects is so, with the engine that all servers share."""
    (tmp_path / "midfill.toml").write_text("shareEngine = true\n")
    monkeypatch.setenv("MIDFILL_CONFIG", str(tmp_path / "midfill.toml"))
    assert main(["harness", str(script)]) == 0, capfd.readouterr().out
