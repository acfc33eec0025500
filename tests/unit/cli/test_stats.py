"""`midfill stats --html`."""

from __future__ import annotations

from pathlib import Path

import pytest

from midfill.cli.main import main
from midfill.outcomes.weekly import WeeklyCounts


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))


def test_page_of_plots(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It has what was counted on this machine."""
    counts = WeeklyCounts()
    counts.count("a.rs", "", "characters kept", 4_321)
    counts.save()
    assert main(["stats", "--html", str(tmp_path / "page.html")]) == 0
    assert capsys.readouterr().out == f"The page is {tmp_path / 'page.html'}. Open it in a browser.\n"
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<td>4,321</td>" in html
    assert "Rust" in html


def test_page_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says why."""
    assert main(["stats", "--html", str(tmp_path / "absent" / "page.html")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "page.html cannot be written: " in said
