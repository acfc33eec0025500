"""The number of threads for a model: measured once on this machine, and remembered for each bundle.

One thread for each core is not always best. Two hardware threads of one core share its multipliers; fast cores wait for
slow ones at every operator; and decoding waits for memory, which a few threads already saturate.
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
_PREFILL_TOKENS, _DECODED_TOKENS = 64, 16
"""Size of the timed request, which is like one that typing causes."""
_RUNS = 3
_MAX_TIME_RATIO = 0.95
"""More threads are chosen only if their time is less than this part of the time of fewer threads. Else they only use
more power."""


def chosen(bundle: Bundle) -> int:
    """Return the number of threads that was fastest for ``bundle`` on this machine.

    Without a measurement, this is one thread for each usable core.
    """
    threads = JsonStore(_FILE).get(_key(bundle))
    return threads if isinstance(threads, int) and 0 < threads <= cpu.usable_cores() else cpu.usable_cores()


def measure(bundle: Bundle) -> int:
    """Time a request with each of the :func:`candidates`, and remember and return the best number of threads.

    Raises:
        ModelError: the model cannot be loaded.
    """
    best = best_of({count: _seconds(bundle, count) for count in candidates(cpu.usable_cores(), _physical_cores())})
    remembered = JsonStore(_FILE)
    remembered.put(_key(bundle), best)
    remembered.save()
    return best


def candidates(usable: int, physical: int) -> list[int]:
    """Return the numbers of threads to measure, in rising order.

    These are half of the ``physical`` cores, all of them, and all ``usable`` hardware threads.
    """
    return sorted({min(usable, count) for count in (max(1, physical // 2), physical, usable)})


def best_of(seconds: Mapping[int, float]) -> int:
    """Return the smallest number of threads that is about as fast as the fastest. ``seconds`` has the time of each."""
    counts = sorted(seconds)
    best = counts[0]
    for count in counts[1:]:
        if seconds[count] < _MAX_TIME_RATIO * seconds[best]:
            best = count
    return best


def _seconds(bundle: Bundle, threads: int) -> float:
    model = OnnxModel.of(bundle, threads)
    return statistics.median(_timed(lambda: _request(model)) for _ in range(_RUNS))


def _request(model: Model) -> None:
    cache = model.new_cache(_PREFILL_TOKENS + _DECODED_TOKENS)
    ids: Sequence[int] = range(_PREFILL_TOKENS)  # any tokens: all take the same time
    model.step(ids, cache, 1, CancelFlag())
    for token in range(_DECODED_TOKENS):
        model.step([token], cache, 1, CancelFlag())


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _physical_cores() -> int:
    return psutil.cpu_count(logical=False) or cpu.usable_cores()


def _key(bundle: Bundle) -> str:
    """Return a key of the graph, the processor and the number of cores that this process may use."""
    graph = bundle.manifest.files[GRAPH].sha256
    return f"{graph[:16]} {cpu.model_name(cpu.cpuinfo())} {cpu.usable_cores()}"
