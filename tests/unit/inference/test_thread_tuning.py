"""The number of threads: which numbers are measured, which one is chosen, and that it is remembered."""

from __future__ import annotations

from pathlib import Path

import pytest

from midfill.inference import cores, cpu, thread_tuning
from midfill.inference.bundle import Bundle
from midfill.inference.cores import restricted
from midfill.inference.topology import Core, equal_cores
from unit.helpers import chain_graph, write_bundle


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a cache folder of the test's own instead of the user's."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path / "cache"))


HYBRID = [Core(frozenset((2 * n, 2 * n + 1))) for n in range(6)] + [Core(frozenset((n,)), 0.4) for n in range(12, 20)]


@pytest.mark.parametrize(
    ("found", "quota", "tried"),
    [
        (equal_cores(1, 1), None, [1]),
        (equal_cores(2, 2), None, [1, 2]),
        (equal_cores(2, 1), None, [1, 2]),
        (equal_cores(8, 4), None, [2, 4, 8]),
        (equal_cores(16, 16), None, [8, 16]),
        (HYBRID, None, [3, 6, 12, 20]),
        (HYBRID, 2.5, [3]),
        (equal_cores(8, 4), 0.2, [1]),
    ],
)
def test_candidates(found: list[Core], quota: float | None, tried: list[int]) -> None:
    """Half of the fast cores, all of them, their hardware threads and all others are measured, within the quota."""
    assert thread_tuning.candidates(restricted(found, frozenset(), quota)) == tried


def test_fewest_threads_of_about_equal_speed() -> None:
    """More threads are chosen only if they are clearly faster."""
    assert thread_tuning.best_of({1: 2.0, 2: 1.0, 4: 0.98}) == 2
    assert thread_tuning.best_of({1: 1.0, 2: 1.5}) == 1
    assert thread_tuning.best_of({2: 1.0, 4: 0.7, 8: 0.5}) == 8


def use(monkeypatch: pytest.MonkeyPatch, affinity: frozenset[int], quota: float | None = None) -> None:
    """Let this process have a part of a machine of four cores with two hardware threads each."""
    monkeypatch.setattr(cores, "usable", lambda: restricted(equal_cores(8, 4), affinity, quota))


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """Return a bundle for which two threads were the fastest on such a machine."""
    bundle = write_bundle(tmp_path / "b", graph=chain_graph("1", anywhere=True))
    use(monkeypatch, frozenset())
    monkeypatch.setattr(thread_tuning, "_seconds", lambda _, count: {2: 1.0, 4: 3.0, 8: 4.0}[count])
    assert thread_tuning.chosen(bundle) == (4, "one for each core that this process may run on")
    assert thread_tuning.measure(bundle) == (2, "the fastest of 2, 4, 8, which were measured now")
    return bundle


def test_measured_once_and_remembered(measured: Bundle) -> None:
    """The measured number is used from then on."""
    assert thread_tuning.chosen(measured) == (2, "the fastest number that `midfill doctor` measured")


@pytest.mark.parametrize(
    ("affinity", "quota", "count"),
    [(frozenset({0}), None, 1), (frozenset({0, 1, 2, 4, 5, 6}), None, 3), (frozenset(), 3.0, 3)],
    ids=["one core", "other cores", "quota"],
)
def test_measured_elsewhere(
    measured: Bundle, monkeypatch: pytest.MonkeyPatch, affinity: frozenset[int], quota: float | None, count: int
) -> None:
    """With other cores or another quota, the measured number is not used."""
    use(monkeypatch, affinity, quota)
    assert thread_tuning.chosen(measured).number == count


def test_measured_for_another_bundle(measured: Bundle, tmp_path: Path) -> None:
    """Another graph has its own number."""
    other = write_bundle(tmp_path / "other", graph=chain_graph("2", anywhere=True))
    assert thread_tuning.chosen(other).number == 4


def test_measured_on_another_processor(measured: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache folder that was copied to another machine is not believed."""
    monkeypatch.setattr(cpu, "model_name", lambda _: "another processor")
    assert thread_tuning.chosen(measured).number == 4


def test_a_real_session_is_timed(tmp_path: Path) -> None:
    """A real measurement gives a number of threads that this machine has."""
    bundle = write_bundle(tmp_path / "b", graph=chain_graph("1", anywhere=True))
    assert 1 <= thread_tuning.measure(bundle).number <= cores.usable().hardware_threads


def test_damaged_file_counts_as_no_measurement(tmp_path: Path) -> None:
    """A file that is not JSON, or holds other values, gives the default number."""
    bundle = write_bundle(tmp_path / "b", graph=chain_graph("1", anywhere=True))
    (tmp_path / "cache").mkdir(exist_ok=True)
    for text in ("{", "[]", '{"x": "y"}'):
        (tmp_path / "cache" / "threads.json").write_text(text)
        assert thread_tuning.chosen(bundle) == cores.usable().default_threads()
