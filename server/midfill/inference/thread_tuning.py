"""How many threads to run a model on: measured on this machine once, remembered for each bundle.

One a core is not always best. Two threads of one core share its multipliers, slow cores hold fast ones up at every
operator, and decoding waits for memory, which a few threads already saturate.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import psutil

from midfill.common.cancel import CancelFlag
from midfill.common.json_store import JsonStore
from midfill.inference import cpu
from midfill.inference.bundle import GRAPH, Bundle
from midfill.inference.onnx_model import Model, OnnxModel

_FILE = "threads"
_TYPED, _DECODED = 64, 16
"""A request as typing makes them: tokens of the prompt to be computed, and tokens decoded."""
_RUNS = 3
_GAIN = 0.95
"""More threads must take less than this share of the time of fewer, or they are not worth their power."""


def chosen(bundle: Bundle) -> int:
    """Return the number of threads measured best for ``bundle`` here; before that, one a core that may be used."""
    threads = JsonStore(_FILE).get(_key(bundle))
    return threads if isinstance(threads, int) and 0 < threads <= cpu.usable_cores() else cpu.usable_cores()


def measure(bundle: Bundle) -> int:
    """Time a request with every sensible number of threads, and remember the best.

    Raises:
        ModelError: the model cannot be loaded.
    """
    best = best_of({count: _seconds(bundle, count) for count in candidates(cpu.usable_cores(), _physical_cores())})
    remembered = JsonStore(_FILE)
    remembered.put(_key(bundle), best)
    remembered.save()
    return best


def candidates(usable: int, physical: int) -> list[int]:
    """Return the numbers worth a try, rising: half of the cores, all of them, and their hardware threads."""
    return sorted({min(usable, count) for count in (max(1, physical // 2), physical, usable)})


def best_of(seconds: Mapping[int, float]) -> int:
    """Return the fewest threads that are about as fast as any."""
    counts = sorted(seconds)
    best = counts[0]
    for count in counts[1:]:
        if seconds[count] < _GAIN * seconds[best]:
            best = count
    return best


def _seconds(bundle: Bundle, threads: int) -> float:
    model = OnnxModel(bundle.graph, bundle.manifest.kv, threads)
    return statistics.median(_timed(lambda: _request(model)) for _ in range(_RUNS))


def _request(model: Model) -> None:
    cache = model.new_cache(_TYPED + _DECODED)
    ids: Sequence[int] = range(_TYPED)  # which tokens they are does not change how long they take
    model.step(ids, cache, 1, CancelFlag())
    for token in range(_DECODED):
        model.step([token], cache, 1, CancelFlag())


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _physical_cores() -> int:
    return psutil.cpu_count(logical=False) or cpu.usable_cores()


def _key(bundle: Bundle) -> str:
    """Name the graph, the processor and the cores given to this process."""
    graph = bundle.manifest.files[GRAPH].sha256
    return f"{graph[:16]} {cpu.model_name(cpu.cpuinfo())} {cpu.usable_cores()}"
