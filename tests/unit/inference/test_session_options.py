"""Options of a model's session: no thread waits in a loop while nothing runs, or on battery."""

from __future__ import annotations

from types import SimpleNamespace

import psutil
import pytest

from midfill.inference.session_options import on_battery, session_options

PLUGGED, UNPLUGGED, UNKNOWN = (SimpleNamespace(power_plugged=plugged) for plugged in (True, False, None))


def _stumbles() -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (lambda: UNPLUGGED, True),
        (lambda: PLUGGED, False),
        (lambda: UNKNOWN, False),
        (lambda: None, False),
        (_stumbles, False),
    ],
    ids=["unplugged", "plugged in", "not known", "no battery", "unusual battery"],
)
def test_battery(monkeypatch: pytest.MonkeyPatch, read: object, expected: bool) -> None:
    """A machine runs on its battery only if the system says so."""
    monkeypatch.setattr(psutil, "sensors_battery", read, raising=False)
    assert on_battery() is expected


def test_system_without_such_a_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not every system has a battery that psutil can read."""
    monkeypatch.delattr(psutil, "sensors_battery", raising=False)
    assert not on_battery()


@pytest.mark.parametrize(("battery", "spinning"), [(PLUGGED, "1"), (UNPLUGGED, "0")])
def test_spinning(monkeypatch: pytest.MonkeyPatch, battery: object, spinning: str) -> None:
    """Threads spin only during a run, and not on battery."""
    monkeypatch.setattr(psutil, "sensors_battery", lambda: battery, raising=False)
    options = session_options(3)
    assert options.intra_op_num_threads == 3
    assert options.get_session_config_entry("session.force_spinning_stop") == "1"
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == spinning
    assert int(options.get_session_config_entry("session.intra_op.spin_duration_us")) <= 1000
