"""The confidence gate as it is set by default, with the real model: the other end-to-end tests switch it off."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.raw_client import MIDFILL, RawClient
from e2e.workbench import CURSOR, OPTIONS, Workbench
from own_files import another_cache

pytestmark = pytest.mark.bundle

SURE = f"def add(left, right):\n    return left + {CURSOR}\n"
UNSURE = f"nickname = {CURSOR}\n"
DEFAULT = 0.35


@pytest.fixture
def bench(bundle: Path, tmp_path: Path) -> Iterator[Workbench]:
    """Return an editor at an empty folder whose server has loaded the real model, with the default gate."""
    environment = {**os.environ, "MIDFILL_CACHE": another_cache(tmp_path / "cache")}
    with RawClient(MIDFILL, tmp_path / "stderr", environment) as client:
        bench = Workbench(client, tmp_path / "folder")
        bench.folder.mkdir()
        client.initialize(options={**OPTIONS, "minConfidence": DEFAULT, "maxTokens": 8}, folder=bench.folder)
        client.wait_until_loaded()
        yield bench


def test_gate_holds_for_automatic_requests_only(bench: Workbench) -> None:
    """What the model is sure of is shown, what it is not is withheld and said why; a setting counts at once."""
    bench.open("sure.py", SURE)
    bench.open("unsure.py", UNSURE)
    assert [item["insertText"] for item in bench.ask("sure.py", invoked=False)] == ["right"]
    assert bench.ask("unsure.py", invoked=False) == []
    assert "the model's confidence is too low (setting minConfidence;" in bench.why()
    assert bench.ask("unsure.py", invoked=True)
    bench.set({**OPTIONS, "minConfidence": 0, "maxTokens": 8})
    assert bench.ask("unsure.py", invoked=False)
    bench.set({**OPTIONS, "minConfidence": 1, "maxTokens": 8})
    assert bench.ask("sure.py", invoked=False) == []
    bench.leave()
