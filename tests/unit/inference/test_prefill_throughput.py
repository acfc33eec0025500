"""How long prompts may be on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from midfill.inference.bundle import Bundle
from midfill.inference.prefill_throughput import PrefillThroughput
from unit.helpers import manifest


@pytest.fixture
def bundle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bundle:
    """Return a bundle on a machine that was never measured."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path))
    return Bundle(tmp_path, manifest())


def test_prompts_are_as_long_as_can_be_read_in_time(bundle: Bundle) -> None:
    """In steps, within limits; a machine that was not measured reads what most can."""
    speed = PrefillThroughput(bundle.manifest)
    assert speed.tokens_within(1500) == 1536
    speed.learn(1000, 2.0)
    assert speed.tokens_per_second == 500
    assert [speed.tokens_within(ms) for ms in (1500, 100, 600_000)] == [640, 512, 8192]


def test_speed_is_a_running_mean_and_remembered(bundle: Bundle) -> None:
    """One slow reading does not change much; a short one says nothing; the next server begins with it."""
    speed = PrefillThroughput(bundle.manifest)
    for tokens, seconds in ((1000, 1.0), (1000, 2.0), (100, 10.0)):
        speed.learn(tokens, seconds)
    assert speed.tokens_per_second == pytest.approx(900)
    speed.learn(1000, 2.0)
    assert PrefillThroughput(bundle.manifest).tokens_per_second == pytest.approx(speed.tokens_per_second, rel=0.1)
