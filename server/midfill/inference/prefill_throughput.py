"""How fast this machine computes prompts with a model. It is measured during use and remembered.

A reading is the time of one prompt. It says how fast the machine is only if the processor was free for it. If not, the
thread that computed it got less processor time than has passed: other programs were running, or the machine slept. Such
a reading shows no more than that the machine is at least so fast, unless it is always busy. A machine that is slow by
itself, because it saves its battery or is hot, has slow readings of the first kind.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sized
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

from midfill.common.json_store import JsonStore
from midfill.inference import cpu
from midfill.inference.bundle import GRAPH, Manifest

_FILE = "reading_speed"
_MIN_TOKENS = 200
"""Minimum number of computed tokens for a reading. The time of a shorter prefill says little."""
_READINGS = 8
"""Number of readings that count, the latest ones."""
_MIN_SHARE = 0.75
"""Part of the time that the computing thread must have run, if the processor was free."""
_TICK = 0.016
"""Seconds by which Windows may misstate a thread's processor time."""
_ALIKE = 1 / 3
"""The time of a prompt is predicted from readings of at least this part of its length. The first tokens of a prompt are
the fastest, since each token attends to all before it."""
_MAX = 1e8
"""More tokens than any prompt has, and more than any machine computes in a second. A damaged file may say so."""


class Reading(NamedTuple):
    """How fast one prompt was computed."""

    tokens: int
    tokens_per_second: float
    was_free: bool
    """Whether the processor was free for it."""


Clock = Callable[[], tuple[float, float]]
"""Returns the time, and the processor time of the thread that calls it, both in seconds from some fixed moment."""


def thread_clock() -> tuple[float, float]:
    """Return the time and this thread's processor time; a :data:`Clock`."""
    return time.perf_counter(), time.thread_time()


@contextmanager
def timed(computed: Sized, learn: Callable[[int, float, float], None], clock: Clock = thread_clock) -> Iterator[None]:
    """Time a block in which ``computed`` grows by one for each token, also one that is interrupted.

    ``learn`` gets the number of tokens, the seconds, and the processor time of this thread in seconds.
    """
    before = len(computed)
    started, started_processor = clock()
    try:
        yield
    finally:
        now, now_processor = clock()
        learn(len(computed) - before, now - started, now_processor - started_processor)


class PrefillThroughput:
    """The number of prompt tokens computed in a second; a :class:`midfill.inference.token_generator.PrefillMeter`.

    Tokens found in a KV cache do not count.
    """

    def __init__(self, key: str, clock: Clock = thread_clock) -> None:
        """Begin with the readings that were remembered for ``key``."""
        self._key = key
        self._clock = clock
        self._readings = deque(_remembered(JsonStore(_FILE).get(key)), maxlen=_READINGS)

    @property
    def tokens_per_second(self) -> float:
        """The best of the latest readings; 0 without a reading."""
        return max((reading.tokens_per_second for reading in self._readings), default=0.0)

    @property
    def is_known(self) -> bool:
        """Whether the machine is hardly faster than the readings say: it was free once, or busy each time."""
        return any(reading.was_free for reading in self._readings) or len(self._readings) == _READINGS

    def remembered(self) -> list[Reading]:
        """Return the readings that count, the latest last."""
        return list(self._readings)

    def seconds_for(self, tokens: int) -> float:
        """Return how long a prompt of ``tokens`` tokens takes when the processor is free; infinity without a reading.

        The best of the latest readings of prompts that are long enough decides.
        """
        longest = max((reading.tokens for reading in self._readings), default=0)
        alike = [r.tokens_per_second for r in self._readings if r.tokens >= _ALIKE * min(tokens, longest)]
        return tokens / max(alike) if alike else math.inf

    def timing(self, computed: Sized) -> AbstractContextManager[None]:
        """See :meth:`midfill.inference.token_generator.PrefillMeter.timing`."""
        return timed(computed, self.learn, self._clock)

    def learn(self, tokens: int, seconds: float, processor_seconds: float) -> None:
        """See :meth:`midfill.inference.token_generator.PrefillMeter.learn`."""
        if tokens < _MIN_TOKENS or seconds <= 0 or processor_seconds > seconds + _TICK:  # the last two: a clock jumped
            return
        speed = round(tokens / seconds, 1)
        was_free = processor_seconds + _TICK >= _MIN_SHARE * seconds
        if was_free or speed > self.tokens_per_second or not any(reading.was_free for reading in self._readings):
            self._readings.append(Reading(tokens, speed, was_free))
            JsonStore(_FILE).put(self._key, self.remembered())


def speed_key(manifest: Manifest, threads: int) -> str:
    """Return a text that differs wherever the same prompt may take another time: see ``LanguageModel.speed_key``."""
    graph = manifest.files.get(GRAPH)
    return f"{graph.sha256[:16] if graph else manifest.name} {cpu.model_name(cpu.cpuinfo())} {threads}"


def _remembered(value: Any) -> Iterator[Reading]:
    """Yield the readings in a value of the file, which may be damaged."""
    for entry in value if isinstance(value, list) else []:
        if isinstance(entry, list) and [type(part) for part in entry] == [int, float, bool]:
            reading = Reading(*entry)
            if _MIN_TOKENS <= reading.tokens < _MAX and 0 < reading.tokens_per_second < _MAX:
                yield reading
