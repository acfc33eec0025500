"""The session: what the tests of its parts do not cover."""

from __future__ import annotations

from pathlib import Path

import pytest

from midfill.completion.scheduler import Scheduler, new_scheduler
from midfill.outcomes.counters import Counters
from midfill.session.session import Session
from midfill.settings.live import LiveSettings


@pytest.fixture(autouse=True)
def own_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the counts and the settings of this machine out of the tests."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MIDFILL_CONFIG", str(tmp_path / "none.toml"))


def start(options: object) -> Session:
    """Return a session with these options, which loads nothing."""

    def make(settings: LiveSettings) -> Scheduler:
        return new_scheduler(settings, lambda *_: pytest.fail("nothing is loaded"))

    return Session([], options, lambda _: None, make_scheduler=make)


def test_settings_are_read_again_when_their_file_changes_by_any_spelling(tmp_path: Path) -> None:
    """The user's own file, which may be a link, is found by its name, by its target, and through other links."""
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "none.toml").symlink_to("dotfiles/midfill.toml")
    (tmp_path / "link").symlink_to("dotfiles")
    session = start({})
    for lines, changed in enumerate(
        ("none.toml", "dotfiles/midfill.toml", "link/midfill.toml", "link/../none.toml"), 1
    ):
        (tmp_path / "dotfiles/midfill.toml").write_text(f"maxLines = {lines}\n")
        assert session.files_changed([str(tmp_path / changed)]) == []
        assert session.settings.now.max_lines == lines
    session.close()


@pytest.mark.parametrize(
    ("options", "low", "high"),
    [({}, 0.4, 0.6), ({"calibrateConfidence": False}, 0.35, 0.35), ({"minConfidence": 0}, 0, 0)],
    ids=["default", "not calibrated", "no gate"],
)
def test_minimum_confidence_is_calibrated(options: dict[str, object], low: float, high: float) -> None:
    """If suggestions with a confidence of 0.5 were never accepted, the minimum is raised, unless that is turned off."""
    earlier = Counters()
    for _ in range(100):
        earlier.count_confidence("shown", 0.5)
    earlier.save()
    session = start(options)
    assert low <= session.settings.now.min_confidence <= high
    session.settings_changed({"maxLines": 3, **options})
    assert session.settings.now.max_lines == 3
    assert low <= session.settings.now.min_confidence <= high
    session.close()
