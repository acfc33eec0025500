"""How fast prompts are computed: which readings count, what they predict, and what is remembered of them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from midfill.common.cancel import Cancelled
from midfill.inference.prefill_throughput import PrefillThroughput, speed_key, thread_clock
from unit.helpers import manifest
from unit.processor_clock import ProcessorClock

KEY = "a model on a machine"


@pytest.fixture(autouse=True)
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the file of a machine without a reading."""
    monkeypatch.setenv("MIDFILL_CACHE", str(tmp_path))
    return tmp_path / "reading_speed.json"


def read(*readings: tuple[int, float, float]) -> PrefillThroughput:
    """Learn readings: tokens, seconds, and the part of them in which the thread had the processor."""
    throughput = PrefillThroughput(KEY)
    for tokens, seconds, share in readings:
        throughput.learn(tokens, seconds, seconds * share)
    return throughput


def test_machine_without_a_reading() -> None:
    """Nothing is predicted."""
    throughput = PrefillThroughput(KEY)
    assert (throughput.tokens_per_second, throughput.seconds_for(1000)) == (0.0, math.inf)


def test_best_reading_counts() -> None:
    """A slow reading beside a fast one changes nothing."""
    throughput = read((1000, 2.0, 1.0), (1000, 4.0, 1.0), (1000, 3.0, 1.0))
    assert throughput.tokens_per_second == 500
    assert throughput.seconds_for(2000) == 4.0


def test_slow_machine_is_believed() -> None:
    """A machine that saves its battery is slow with the processor to itself, and that is learned."""
    assert read((1000, 1.0, 1.0), *[(1000, 4.0, 0.95)] * 16).tokens_per_second == 250


def test_busy_hour_changes_nothing() -> None:
    """While other programs run, slow readings do not count, however many they are."""
    assert read((1000, 1.0, 1.0), *[(1000, 4.0, 0.5)] * 1000).tokens_per_second == 1000


def test_busy_machine_shows_how_fast_it_is_at_least() -> None:
    """A reading of a busy machine counts if it is the fastest so far, or if there are no others."""
    assert not read((1000, 5.0, 0.5)).is_known
    throughput = read((1000, 4.0, 1.0), (1000, 2.0, 0.5), (1000, 3.0, 0.5))
    assert (throughput.is_known, throughput.tokens_per_second) == (True, 500)
    assert len(throughput.remembered()) == 3


def test_machine_that_is_always_busy_is_believed() -> None:
    """When it was busy each time, it is as slow for its user as it seems; the first free reading shows more."""
    throughput = read(*[(1000, 4.0, 0.5)] * 8)
    assert (throughput.is_known, throughput.tokens_per_second) == (True, 250)
    throughput.learn(1000, 1.0, 1.0)
    throughput.learn(1000, 4.0, 2.0)
    assert throughput.tokens_per_second == 1000
    assert len(throughput.remembered()) == 8


@pytest.mark.parametrize("tick", [-0.0156, 0.0156])
def test_coarse_processor_time(tick: float) -> None:
    """A reading counts although the processor time of Windows is too coarse for it."""
    throughput = PrefillThroughput(KEY)
    throughput.learn(200, 0.05, 0.05 + tick)
    throughput.learn(200, 0.1, 0.1 + tick)
    assert len(throughput.remembered()) == 2


@pytest.mark.parametrize(
    ("tokens", "seconds", "processor_seconds"),
    [
        (199, 1.0, 1.0),
        (1000, 0.0, 0.0),
        (1000, -5.0, 1.0),
        (1000, 0.001, 1.0),
        (1000, 3600.0, 1.0),
        (0, 1.0, 1.0),
    ],
    ids=["few tokens", "no time", "clock put back", "clock stood still", "suspended", "nothing computed"],
)
def test_absurd_reading_does_not_count(tokens: int, seconds: float, processor_seconds: float) -> None:
    """A short prompt, a clock that jumps and a laptop that was suspended change nothing."""
    throughput = read((1000, 2.0, 1.0))
    throughput.learn(tokens, seconds, processor_seconds)
    assert len(throughput.remembered()) == 1


def test_long_prompts_are_predicted_from_long_ones() -> None:
    """Each token attends to all before it, so a short prompt is computed faster."""
    throughput = read((300, 0.5, 1.0), (4000, 10.0, 1.0))
    assert throughput.seconds_for(600) == 1.0
    assert throughput.seconds_for(4000) == 10.0
    assert throughput.seconds_for(16000) == 40.0


def test_block_is_timed() -> None:
    """The tokens that were computed in the block and its time are a reading, also when it is interrupted."""
    clock = ProcessorClock(tokens_per_second=400)
    throughput = PrefillThroughput(KEY, clock)
    computed = [0] * 50

    def compute() -> None:
        with throughput.timing(computed):
            computed.extend([0] * 200)
            clock.compute(200)
            raise Cancelled("typing")

    with pytest.raises(Cancelled):
        compute()
    assert throughput.remembered() == [(200, 400.0, True)]


def test_real_clock_counts_the_work_of_a_thread() -> None:
    """A thread that computes has processor time, and not more of it than time has passed."""
    started, started_processor = thread_clock()
    assert sum(range(200_000)) > 0
    now, now_processor = thread_clock()
    assert 0 <= now_processor - started_processor <= now - started + 0.016


def test_remembered_for_the_next_server() -> None:
    """The next server begins with the readings of the last one, but not one of another model or machine."""
    read((1000, 2.0, 1.0), (1000, 1.0, 1.0))
    assert PrefillThroughput(KEY).tokens_per_second == 1000
    assert PrefillThroughput("another model").tokens_per_second == 0


def test_two_servers_with_one_file() -> None:
    """Each server keeps what the other one wrote for another model."""
    one, other = PrefillThroughput("one"), PrefillThroughput("other")
    one.learn(1000, 1.0, 1.0)
    other.learn(1000, 2.0, 2.0)
    one.learn(1000, 4.0, 4.0)
    assert [PrefillThroughput(key).tokens_per_second for key in ("one", "other")] == [1000, 500]


DAMAGED: list[object] = [
    341.3, "fast", {}, [341.3], [[1000]], [[1000, 341.3]], [[1000, "fast", True]], [[1000, 341.3, 1]], [None],
    [[1000, 0.0, True]], [[1000, -5.0, True]], [[5, 400.0, True]], [[1000, math.nan, True]], [[1000, math.inf, True]],
    [[math.nan, 1.0, True]], [[1000, 1e9, True]], [[1000, 10**400, True]], [["x", 1.0, True]], [[10**400, 1.0, True]],
]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["{", "[]", "null", "\x00\xff", "[" * 100_000, *(json.dumps({KEY: value}) for value in DAMAGED)]
)
def test_damaged_file_counts_as_no_reading(file: Path, text: str) -> None:
    """What is no reading is skipped, and the next reading replaces it."""
    file.write_text(text, encoding="latin-1")
    assert PrefillThroughput(KEY).tokens_per_second == 0
    read((1000, 2.0, 1.0))
    assert PrefillThroughput(KEY).tokens_per_second == 500


def test_damage_leaves_the_other_readings(file: Path) -> None:
    """Sound readings beside damaged ones count."""
    file.write_text(json.dumps({KEY: [[1000, 250.0, True], None, [2000, 100.0, False]]}))
    assert PrefillThroughput(KEY).remembered() == [(1000, 250.0, True), (2000, 100.0, False)]


def test_key_names_model_processor_and_threads() -> None:
    """Another bundle or number of threads has readings of its own."""
    assert speed_key(manifest(), 4) == speed_key(manifest(), 4)
    assert len({speed_key(manifest(), 4), speed_key(manifest(), 8), speed_key(manifest(name="other"), 4)}) == 3
