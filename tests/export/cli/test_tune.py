"""The command ``midfill tune``; what it does is tested in ``tests/export/tuning``."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from midfill.cli.main import main


def test_without_peft(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says what to install."""
    for name in [
        name for name in sys.modules if name.startswith(("peft", "midfill_export.tuning", "midfill_export.cli.tune"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "peft", None)
    assert main(["tune", str(tmp_path)]) == 2
    errors = capsys.readouterr().err
    assert "needs the tune extra; run: pip install 'midfill[tune]'" in errors
    assert errors.count("\n") == 1
