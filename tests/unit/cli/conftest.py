"""Fixtures for tests of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from midfill.cli.main import main
from unit.cli.running import Ran, Run
from unit.helpers import chain_graph, write_bundle

CODE = "def f(x):\n    return x\n\n"


@pytest.fixture
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder, with a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MIDFILL_BUNDLE", raising=False)
    monkeypatch.setenv("TQDM_DISABLE", "")  # a command may set it; this way it is taken back


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs a command within this process."""

    def run(*arguments: object) -> Ran:
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return run


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """Write a file to complete."""
    file = tmp_path / "code.py"
    file.write_text(CODE, encoding="utf-8", newline="")
    return file


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Write a bundle whose model suggests one text, in an empty document."""
    return write_bundle(tmp_path / "bundle", graph=chain_graph("pass")).path
