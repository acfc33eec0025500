"""Long work in steps that each wait behind typing, on the one worker thread.

A step that runs, or is next, is interrupted when a suggestion is asked for, and repeated afterwards. So long work
stands still while somebody types and continues when they pause.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from midfill.common.cancel import CancelFlag, Cancelled
from midfill.inference.kv_cache import KvCache

if TYPE_CHECKING:  # a server whose model is in another process does not load onnxruntime
    from midfill.inference.onnx_model import Model

T = TypeVar("T")


class Steps(Protocol):
    """Decides when each step of long work runs: behind all that is more urgent."""

    def run(self, step: Callable[[CancelFlag], T], cancel: CancelFlag) -> T:
        """Do a step when its turn comes, and again if more urgent work interrupts it; return what it returns.

        The step must change nothing when its flag is set.

        Raises:
            Cancelled: ``cancel`` was set, or no step can run any more.
        """


class StepQueue:
    """Runs the steps of long work on the worker, for other threads that each wait for a step: :class:`Steps`."""

    def __init__(self, worker: ThreadPoolExecutor) -> None:
        self._worker = worker
        self._lock = threading.Lock()
        self._steps: set[CancelFlag] = set()
        """The flags of the steps that run or are next, one for each thread."""
        self._working = 0

    @property
    def in_use(self) -> bool:
        """Whether long work is under way, even if none of its steps runs now."""
        return self._working > 0

    @contextmanager
    def working(self) -> Iterator[None]:
        """Count as long work for as long as the block lasts."""
        with self._lock:
            self._working += 1
        try:
            yield
        finally:
            with self._lock:
                self._working -= 1

    def preempt(self) -> None:
        """Interrupt the current steps. They are repeated after all that the worker was given before; any thread."""
        with self._lock:
            steps = tuple(self._steps)
        for step in steps:
            step.set("preempted")

    def run(self, step: Callable[[CancelFlag], T], cancel: CancelFlag) -> T:
        """Have the worker do a step, and repeat it for as long as it is preempted: see :meth:`Steps.run`."""
        while True:
            try:
                with self._next_step(cancel) as flag:
                    try:
                        future = self._worker.submit(_do, step, flag)
                    except RuntimeError as error:
                        raise Cancelled("closed") from error
                    return future.result()
            except Cancelled as stop:
                if stop.reason != "preempted":
                    raise

    @contextmanager
    def _next_step(self, cancel: CancelFlag) -> Iterator[CancelFlag]:
        """Give a flag that :meth:`preempt` sets, and ``cancel`` too, for as long as the block lasts."""
        flag = CancelFlag()
        with self._lock:
            self._steps.add(flag)
        try:
            with cancel.interrupting(lambda: flag.set("cancelled")):
                yield flag
        finally:
            with self._lock:
                self._steps.discard(flag)


class PreemptibleModel:
    """A model whose steps run in a queue; a :class:`midfill.inference.onnx_model.Model`."""

    def __init__(self, model: Model, steps: Steps) -> None:
        self._model = model
        self._steps = steps

    def new_cache(self, capacity: int) -> KvCache:
        """Return an empty cache for at most ``capacity`` tokens."""
        return self._model.new_cache(capacity)

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        """See :meth:`midfill.inference.onnx_model.Model.step`."""
        return self._steps.run(lambda flag: self._model.step(ids, cache, rows, flag), cancel)


def _do(step: Callable[[CancelFlag], T], flag: CancelFlag) -> T:
    flag.check()
    return step(flag)
