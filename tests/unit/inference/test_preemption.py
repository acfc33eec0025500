"""Preemption: long work and suggestions share one worker, and suggestions never wait for long work."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from midfill.common.cancel import CancelFlag, Cancelled
from midfill.inference.preemption import StepQueue


@pytest.fixture
def worker() -> Iterator[ThreadPoolExecutor]:
    """Return a worker, and end it after the test."""
    with ThreadPoolExecutor(max_workers=1) as worker:
        yield worker


def test_preempted_step_is_repeated_afterwards(worker: ThreadPoolExecutor) -> None:
    """Work that the worker was given meanwhile is done first, although the step had begun."""
    steps, order, running = StepQueue(worker), list[str](), threading.Event()

    def step(flag: CancelFlag) -> str:
        order.append("begun")
        if len(order) == 1:
            stopped = threading.Event()
            with flag.interrupting(stopped.set):
                running.set()
                stopped.wait(10)
        flag.check()
        return "done"

    with ThreadPoolExecutor(max_workers=1) as other:
        result = other.submit(steps.run, step, CancelFlag())
        assert running.wait(10)
        worker.submit(order.append, "typing")
        steps.preempt()
        assert result.result(10) == "done"
    assert order == ["begun", "typing", "begun"]


def test_cancelled_step_ends_and_is_not_repeated(worker: ThreadPoolExecutor) -> None:
    """A cancelled step ends, whether it runs or has not begun."""
    steps, cancel, begun = StepQueue(worker), CancelFlag(), list[int]()

    def step(flag: CancelFlag) -> None:
        begun.append(1)
        cancel.set("cancelled")
        flag.check()

    for _ in range(2):
        with pytest.raises(Cancelled, match="cancelled"):
            steps.run(step, cancel)
    assert begun == [1]


def test_worker_that_has_ended_ends_the_work(worker: ThreadPoolExecutor) -> None:
    """The work is cancelled with the reason "closed"."""
    worker.shutdown()
    with pytest.raises(Cancelled, match="closed"):
        StepQueue(worker).run(lambda _: None, CancelFlag())


def test_queue_is_in_use_while_there_is_work(worker: ThreadPoolExecutor) -> None:
    """The queue is in use until the block ends."""
    steps = StepQueue(worker)
    with steps.working():
        assert steps.in_use
    assert not steps.in_use
