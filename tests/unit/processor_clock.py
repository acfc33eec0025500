"""A machine whose time a test decides: how fast it computes, and how much of the processor other programs take."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from midfill.common.cancel import CancelFlag
from midfill.inference.kv_cache import KvCache
from midfill.inference.onnx_model import ScriptedModel
from unit.helpers import manifest


class ProcessorClock:
    """A :data:`midfill.inference.prefill_throughput.Clock` that runs while a :class:`TimedModel` computes."""

    def __init__(self, tokens_per_second: float, share: float = 1.0) -> None:
        self.tokens_per_second = tokens_per_second
        """Speed with the processor to itself."""
        self.share = share
        """Part of the time in which it has the processor."""
        self._seconds = self._processor_seconds = 0.0

    def __call__(self) -> tuple[float, float]:
        return self._seconds, self._processor_seconds

    def compute(self, tokens: int) -> None:
        """Let the time pass that ``tokens`` tokens take."""
        self._processor_seconds += tokens / self.tokens_per_second
        self._seconds += tokens / self.tokens_per_second / self.share

    def sleep(self, seconds: float) -> None:
        """Let time pass without work, as on a machine that is suspended; negative for a clock that is put back."""
        self._seconds += seconds


class TimedModel(ScriptedModel):
    """A model that suggests nothing. Each of its tokens takes time of a clock."""

    def __init__(self, clock: ProcessorClock) -> None:
        super().__init__([], manifest().stop_tokens[0], manifest().vocabulary)
        self._clock = clock
        self.on_step: Callable[[], None] = lambda: None
        """Called after each step."""
        self.suspended = 0.0
        """Seconds for which the machine is suspended during the next step."""

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        logits = super().step(ids, cache, rows, cancel)
        assert len(cache) <= cache.capacity
        self._clock.compute(len(ids))
        self._clock.sleep(self.suspended)
        self.suspended = 0.0
        self.on_step()
        return logits
