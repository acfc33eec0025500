"""The signals by which a system asks a process to end."""

from __future__ import annotations

import importlib
import signal

import pytest

from midfill.common import signals


def test_systems_have_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has one more, for a console that is closed."""
    monkeypatch.delattr(signal, "SIGBREAK", raising=False)
    assert importlib.reload(signals).ENDING == (signal.SIGTERM,)
    monkeypatch.setattr(signal, "SIGBREAK", 21, raising=False)
    assert importlib.reload(signals).ENDING == (signal.SIGTERM, 21)
    monkeypatch.undo()
    importlib.reload(signals)
