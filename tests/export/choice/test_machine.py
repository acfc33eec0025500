"""How fast this machine is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from midfill.inference.bundle import load_bundle, write_manifest
from midfill.inference.prefill_throughput import PrefillThroughput, speed_key
from midfill.inference.thread_tuning import chosen
from midfill_export.choice.machine import free_seconds, this_machine
from midfill_export.weights.known_models import WEIGHTS


def test_machine_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its speed and its room are numbers that a machine can have; folders need not exist."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))
    machine = this_machine(tmp_path / "no" / "bundles", tmp_path / "no" / "bundle")
    assert 1e7 < machine.bytes_per_second < 1e13
    assert 1e8 < machine.products_per_second < 1e16
    assert machine.memory > 1e6
    assert machine.disk > 0
    assert machine.how.startswith("measured now, with ")


@pytest.mark.parametrize(
    ("seconds", "processor", "free"), [(1.0, 2.0, 1.0), (1.0, 1.6, 1.0), (1.0, 0.4, 0.2), (1.0, 0.0, 1e-3)]
)
def test_time_of_other_programs_does_not_count(seconds: float, processor: float, free: float) -> None:
    """Two threads that got a fifth of the processor would have been five times as fast."""
    assert free_seconds(seconds, processor, threads=2) == pytest.approx(free)


def test_speed_in_use_is_known_better(bundle_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a model of the catalogue did with prompts here is remembered."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))
    known = load_bundle(bundle_folder)
    manifest = replace(known.manifest, name=WEIGHTS["0.5b"].title)
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / manifest.folder).symlink_to(known.folder)
    write_manifest(copy, manifest)
    PrefillThroughput(speed_key(manifest, chosen(load_bundle(copy)).number)).learn(1000, 0.5, 0.5)
    machine = this_machine(tmp_path, copy)
    shape = WEIGHTS["0.5b"].shape
    assert shape is not None
    assert machine.products_per_second == 2000 * shape.products
    assert "as Qwen2.5-Coder-0.5B-Instruct computed them: 2,000 tokens a second" in machine.how
