"""The length of prompts that this machine computes in time."""

from __future__ import annotations

from pathlib import Path

import pytest

from midfill.inference.bundle import Bundle
from midfill.inference.prefill_throughput import PrefillThroughput
from unit.helpers import manifest


@pytest.fixture
def bundle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bundle:
    """Return a bundle on a machine without a measurement."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path))
    return Bundle(tmp_path, manifest())


def test_prompts_are_as_long_as_time_allows(bundle: Bundle) -> None:
    """The length is a multiple of a step, within limits; without a measurement it is a default."""
    throughput = PrefillThroughput(bundle.manifest)
    assert throughput.tokens_within(1500) == 1536
    throughput.learn(1000, 2.0)
    assert throughput.tokens_per_second == 500
    assert [throughput.tokens_within(ms) for ms in (1500, 100, 600_000)] == [640, 512, 8192]


def test_throughput_is_a_running_mean_and_remembered(bundle: Bundle) -> None:
    """A slow prefill changes the mean a little, a short one does not, and the next server begins with the mean."""
    throughput = PrefillThroughput(bundle.manifest)
    for tokens, seconds in ((1000, 1.0), (1000, 2.0), (100, 10.0)):
        throughput.learn(tokens, seconds)
    assert throughput.tokens_per_second == pytest.approx(900)
    throughput.learn(1000, 2.0)
    saved = PrefillThroughput(bundle.manifest).tokens_per_second
    assert saved == pytest.approx(throughput.tokens_per_second, rel=0.1)
