"""Turns on a completer's worker, for work that takes long: each step of it comes between what typing asks for.

Typing never waits for such work: a step that is under way, or next, is interrupted, and done again afterwards. So the
work stands still while somebody types, and goes on when they stop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from midfill.common.cancel import CancelFlag, Cancelled
from midfill.inference.kv_cache import KvCache
from midfill.inference.onnx_model import Model

T = TypeVar("T")


class StepQueue:
    """The way to a worker for one other thread, which waits for each of its steps."""

    def __init__(self, worker: ThreadPoolExecutor) -> None:
        self._worker = worker
        self._step = CancelFlag()
        self._working = 0

    @property
    def in_use(self) -> bool:
        """Whether there is work that takes turns: nobody is idle then."""
        return self._working > 0

    @contextmanager
    def working(self) -> Iterator[None]:
        """Say that there is work for as long as the block lasts."""
        self._working += 1
        try:
            yield
        finally:
            self._working -= 1

    def preempt(self) -> None:
        """Have the step at hand done after what the worker has been given until now; from any thread."""
        self._step.set("paused")

    def take(self, step: Callable[[CancelFlag], T], cancel: CancelFlag) -> T:
        """Have the worker do a step, which changes nothing when its flag is set, as often as it has to give way.

        Raises:
            Cancelled: ``cancel`` was set, or the worker has ended.
        """
        while True:
            self._step = flag = CancelFlag()
            with cancel.interrupting(lambda flag=flag: flag.set("cancelled")):  # type: ignore[misc]
                try:
                    future = self._worker.submit(_do, step, flag)
                except RuntimeError as error:
                    raise Cancelled("closed") from error
                try:
                    return future.result()
                except Cancelled as stop:
                    if stop.reason != "paused":
                        raise


class PreemptibleModel:
    """A model whose steps are such turns; a :class:`midfill.inference.onnx_model.Model`."""

    def __init__(self, model: Model, turns: StepQueue) -> None:
        self._model = model
        self._turns = turns

    def new_cache(self, capacity: int) -> KvCache:
        """Return an empty cache for at most ``capacity`` tokens."""
        return self._model.new_cache(capacity)

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        """See :meth:`midfill.inference.onnx_model.Model.step`."""
        return self._turns.take(lambda flag: self._model.step(ids, cache, rows, flag), cancel)


def _do(step: Callable[[CancelFlag], T], flag: CancelFlag) -> T:
    flag.check()
    return step(flag)
