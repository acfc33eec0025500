"""The number of threads: which numbers are measured, which one is chosen, and that it is remembered."""

from __future__ import annotations

from pathlib import Path

import pytest

from midfill.inference import cpu, thread_tuning
from unit.helpers import chain_graph, write_bundle


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a cache folder of the test's own instead of the user's."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize(
    ("usable", "physical", "tried"),
    [(1, 1, [1]), (2, 2, [1, 2]), (2, 1, [1, 2]), (8, 4, [2, 4, 8]), (16, 16, [8, 16]), (4, 16, [4])],
)
def test_candidates(usable: int, physical: int, tried: list[int]) -> None:
    """Half of the cores, all cores and all hardware threads are measured, but never more than are usable."""
    assert thread_tuning.candidates(usable, physical) == tried


def test_fewest_threads_of_about_equal_speed() -> None:
    """More threads are chosen only if they are clearly faster."""
    assert thread_tuning.best_of({1: 2.0, 2: 1.0, 4: 0.98}) == 2
    assert thread_tuning.best_of({1: 1.0, 2: 1.5}) == 1
    assert thread_tuning.best_of({2: 1.0, 4: 0.7, 8: 0.5}) == 8


def test_measured_once_and_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The measured number is used from then on, but not with another number of usable cores."""
    bundle = write_bundle(tmp_path / "b", graph=chain_graph("1", anywhere=True))
    monkeypatch.setattr(cpu, "usable_cores", lambda: 4)
    monkeypatch.setattr(thread_tuning, "_physical_cores", lambda: 4)
    monkeypatch.setattr(thread_tuning, "_seconds", lambda _, count: {2: 1.0, 4: 3.0}[count])
    assert thread_tuning.chosen(bundle) == 4
    assert thread_tuning.measure(bundle) == 2
    assert thread_tuning.chosen(bundle) == 2
    monkeypatch.setattr(cpu, "usable_cores", lambda: 1)
    assert thread_tuning.chosen(bundle) == 1


def test_a_real_session_is_timed(tmp_path: Path) -> None:
    """A real measurement gives a number of threads that this machine has."""
    bundle = write_bundle(tmp_path / "b", graph=chain_graph("1", anywhere=True))
    assert 1 <= thread_tuning.measure(bundle) <= cpu.usable_cores()


def test_damaged_file_counts_as_no_measurement(tmp_path: Path) -> None:
    """A file that is not JSON, or holds other values, gives one thread for each usable core."""
    bundle = write_bundle(tmp_path / "b", graph=chain_graph("1", anywhere=True))
    (tmp_path / "cache").mkdir(exist_ok=True)
    for text in ("{", "[]", '{"x": "y"}'):
        (tmp_path / "cache" / "threads.json").write_text(text)
        assert thread_tuning.chosen(bundle) == cpu.usable_cores()
