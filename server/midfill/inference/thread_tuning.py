"""The number of threads for a model: measured once on this machine, and remembered for each bundle.

One thread for each core is not always best. Two hardware threads of one core share its multipliers; fast cores wait for
slow ones at every operator; and decoding waits for memory, which a few threads already saturate.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

from midfill.common.cancel import CancelFlag
from midfill.common.json_store import JsonStore
from midfill.inference import cores, cpu
from midfill.inference.bundle import GRAPH, Bundle
from midfill.inference.cores import Threads, UsableCores
from midfill.inference.onnx_model import Model, OnnxModel

_FILE = "threads"
_PREFILL_TOKENS, _DECODED_TOKENS = 64, 16
"""Size of the timed request, which is like one that typing causes."""
_RUNS = 3
_MAX_TIME_RATIO = 0.95
"""More threads are chosen only if their time is less than this part of the time of fewer threads. Else they only use
more power."""


def chosen(bundle: Bundle) -> Threads:
    """Return the number of threads that was fastest for ``bundle`` on the cores that this process may use.

    Without a measurement, this is :meth:`midfill.inference.cores.UsableCores.default_threads`.
    """
    usable = cores.usable()
    count = JsonStore(_FILE).get(_key(bundle, usable))
    if type(count) is int and 0 < count <= usable.hardware_threads:
        return Threads(count, "the fastest number that `midfill doctor` measured")
    return usable.default_threads()


def measure(bundle: Bundle) -> Threads:
    """Time a request with each of the :func:`candidates`, and remember and return the best number of threads.

    Raises:
        ModelError: the model cannot be loaded.
    """
    usable = cores.usable()
    measured = candidates(usable)
    best = best_of({count: _seconds(bundle, count) for count in measured})
    JsonStore(_FILE).put(_key(bundle, usable), best)
    return Threads(best, f"the fastest of {', '.join(map(str, measured))}, which were measured now")


def candidates(usable: UsableCores) -> list[int]:
    """Return the numbers of threads to measure, in rising order.

    These are half of the fast cores, all of them, their hardware threads, and all hardware threads, as far as the quota
    allows them.
    """
    fast = usable.fast
    most = usable.hardware_threads if usable.quota is None else max(math.ceil(usable.quota), 1)
    counts = (len(fast) // 2, len(fast), sum(len(core.threads) for core in fast), usable.hardware_threads)
    return sorted({max(1, min(count, most)) for count in counts})


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


def _key(bundle: Bundle, usable: UsableCores) -> str:
    """Return a key of the graph, the processor, and what this process may use of it."""
    graph = bundle.manifest.files[GRAPH].sha256
    return f"{graph[:16]} {cpu.model_name(cpu.cpuinfo())} {usable.key}"
