"""The delay of a shared engine: both models are asked the same, in turns, and the report has the pairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from midfill.bench import shared_delay
from midfill.bench.figures import Samples
from midfill.bench.shared_delay import SharedDelay, measure
from midfill.common.errors import BenchError
from midfill.engine import open_model
from midfill.settings.schema import Settings
from midfill.sharing import CAN_SHARE
from unit.helpers import manifest, table_graph, write_bundle


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings with a small bundle."""
    size = manifest().vocabulary
    graph = table_graph(np.zeros((size, size), np.float32))
    return Settings(bundle=write_bundle(tmp_path / "bundle", graph, name=f"of {tmp_path.name}").path, threads=1)


@pytest.mark.skipif(not CAN_SHARE, reason="servers share no engine on this system yet")
def test_both_models_are_asked_in_turns(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The turn that computes the whole prompt does not count."""
    monkeypatch.setattr(shared_delay, "_PROMPT_TOKENS", 20)
    monkeypatch.setattr(shared_delay, "_DRAFT_TOKENS", 50)
    measured = measure(settings, 5)
    assert (len(measured.samples.ours), len(measured.samples.peer)) == (5, 5)
    assert min(*measured.samples.ours, *measured.samples.peer) > 0


def test_figures_are_those_of_pairs() -> None:
    """The machine's speed drifts, so the two sides of a turn are compared."""
    delay = SharedDelay(Samples(ours=[11.0, 22.0, 33.0], peer=[10.0, 20.0, 32.0]))
    assert delay.later == [1.0, 2.0, 1.0]
    assert delay.to_json() == {
        "turns": 3, "in_process_ms": 20.0, "shared_ms": 22.0, "later_ms": 1.0, "later_p90_ms": 2.0, "ratio": 1.1,
    }  # fmt: skip
    assert "later by                 1.00 ms; 90% of the turns: at most 2.00 ms" in delay.to_text()


def test_system_that_cannot_share(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to compare."""
    monkeypatch.setattr(open_model, "CAN_SHARE", False)
    with pytest.raises(BenchError, match="servers cannot share an engine here"):
        measure(settings, 1)
