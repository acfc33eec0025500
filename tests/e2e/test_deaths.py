"""Index, server and client die at random: nothing is lost but what was in flight; `nox -s soak` is longer."""

from __future__ import annotations

from pathlib import Path

from e2e.deaths import MortalSession, counted

REQUESTS = 80


def test_nothing_is_lost(tmp_path: Path) -> None:
    """Each request is answered or was in flight; bundle, settings, statistics and journal are whole each time."""
    mortal = MortalSession(tmp_path, seed=7)
    mortal.run(REQUESTS)
    assert mortal.ledger.answered >= REQUESTS
    assert counted(mortal.cache) >= mortal.ledger.answered
