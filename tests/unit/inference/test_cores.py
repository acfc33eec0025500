"""Which cores a process may use, and how many threads suit them."""

from __future__ import annotations

import psutil
import pytest

from midfill.inference import cores, cpu_quota, topology
from midfill.inference.cores import UsableCores, restricted
from midfill.inference.topology import Core, equal_cores


def machine(*kinds: tuple[int, int, float]) -> list[Core]:
    """Return cores of several kinds, each given as the number of cores, the hardware threads of each, and the speed."""
    made: list[Core] = []
    for count, threads, speed in kinds:
        first = sum(len(core.threads) for core in made)
        made += [Core(frozenset(range(first + n * threads, first + (n + 1) * threads)), speed) for n in range(count)]
    return made


HYBRID = machine((6, 2, 1.0), (8, 1, 0.4))
"""6 performance cores with 12 hardware threads, 0 to 11, and 8 efficiency cores, 12 to 19."""


@pytest.mark.parametrize(
    ("found", "count"),
    [
        (HYBRID, 6),
        (machine((2, 2, 1.0), (8, 1, 0.4)), 10),
        (machine((8, 2, 1.0), (16, 1, 0.4)), 8),
        (machine((4, 1, 1.0), (4, 1, 0.4)), 4),
        (machine((4, 1, 1.0), (6, 1, 0.4)), 4),
        (machine((4, 2, 1.0)), 4),
        (machine((2, 2, 5.8), (6, 2, 5.5)), 8),
        (machine((7, 1, 5.2), (1, 1, 5.0)), 8),
        (machine((2, 2, 4.9), (4, 2, 3.5)), 6),
        (machine((1, 1, 1024), (3, 1, 800), (4, 1, 300)), 4),
        (machine((1, 1, 1.0)), 1),
    ],
    ids=[
        "6 fast and 8 slow", "2 fast and 8 slow", "8 fast and 16 slow", "4 fast and 4 slow", "4 fast and 6 slow",
        "two threads each", "two that turbo higher", "one that turbos less", "compact cores", "three kinds", "one",
    ],
)  # fmt: skip
def test_threads_of_a_machine(found: list[Core], count: int) -> None:
    """Each fast core gets one thread; slow cores count only where they are many."""
    assert restricted(found, frozenset(), None).default_threads().number == count


@pytest.mark.parametrize(
    ("affinity", "quota", "count", "why"),
    [
        (frozenset(), None, 6, "one for each of the 6 fastest of 14 cores"),
        (frozenset(range(4)), None, 2, "one for each core that this process may run on"),
        (frozenset(range(12, 16)), None, 4, "one for each core that this process may run on"),
        (frozenset(range(20)), 2.5, 2, "this process may use the time of 2.5 cores"),
        (frozenset(), 0.5, 1, "this process may use the time of 0.5 cores"),
        (frozenset(), 64.0, 6, "one for each of the 6 fastest of 14 cores"),
        (frozenset({3}), 2.0, 1, "one for each core that this process may run on"),
    ],
)
def test_threads_of_a_restricted_process(affinity: frozenset[int], quota: float | None, count: int, why: str) -> None:
    """Affinity and quota count, and the reason is said."""
    assert restricted(HYBRID, affinity, quota).default_threads() == (count, why)


def test_hardware_threads_that_nobody_describes() -> None:
    """A hardware thread that is in no core counts as a core."""
    assert restricted([], frozenset({0, 1}), None).hardware_threads == 2


def test_key_tells_restrictions_apart() -> None:
    """Each affinity and each quota has another key."""
    whole, fast, slow = (restricted(HYBRID, frozenset(r), None) for r in ((), range(4), range(12, 16)))
    keys = {whole.key, fast.key, slow.key, restricted(HYBRID, frozenset(), 2.0).key}
    assert len(keys) == 4
    assert restricted(HYBRID, frozenset(), None).key == whole.key


def test_this_machine() -> None:
    """There is a thread, and no more of them than hardware threads."""
    usable = cores.usable()
    assert 1 <= usable.default_threads().number <= usable.hardware_threads


def _fails(_: psutil.Process) -> list[int]:
    raise psutil.AccessDenied


@pytest.mark.parametrize("answer", [_fails, lambda _: []])
def test_unknown_affinity(monkeypatch: pytest.MonkeyPatch, answer: object) -> None:
    """Where the system does not say, all cores are usable."""
    monkeypatch.setattr(psutil.Process, "cpu_affinity", answer)
    monkeypatch.setattr(topology, "read", lambda: equal_cores(16, 8))
    monkeypatch.setattr(cpu_quota, "quota", lambda: None)
    assert cores.usable() == UsableCores(tuple(equal_cores(16, 8)))
