"""What one client works with, beyond what its parts are tested for."""

from __future__ import annotations

from pathlib import Path

import pytest

from midfill.completion.completer import Completer
from midfill.outcomes.counters import Counters
from midfill.session.session import Session
from midfill.settings.schema import Settings


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Settings]:
    """Return the settings that completers are made with, on a machine of its own."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MIDFILL_CONFIG", str(tmp_path / "none.toml"))
    return []


def start(given: list[Settings], options: object) -> Session:
    """Return a session with these options, whose completers' settings are ``given``."""

    def make(settings: Settings) -> Completer:
        given.append(settings)
        return Completer(lambda _: pytest.fail("nothing is loaded"))

    return Session(make, [], options, lambda _: None)


@pytest.mark.parametrize(
    ("options", "low", "high"),
    [({}, 0.4, 0.6), ({"calibrateConfidence": False}, 0.35, 0.35), ({"minConfidence": 0}, 0, 0)],
    ids=["default", "not calibrated", "no gate"],
)
def test_gate_goes_by_what_was_accepted_on_this_machine(
    given: list[Settings], options: dict[str, object], low: float, high: float
) -> None:
    """Where suggestions of even chances were hardly ever accepted, it asks for more than the setting says."""
    earlier = Counters()
    for _ in range(100):
        earlier.count_confidence("shown", 0.5)
    earlier.save()
    session = start(given, options)
    assert low <= given[-1].min_confidence <= high
    session.settings_changed({"maxLines": 3, **options})
    assert session.settings.min_confidence == options.get("minConfidence", 0.35)
    session.close()
