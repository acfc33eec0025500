"""Preemption: long work and suggestions share one worker, and suggestions never wait for long work."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from midfill.common.cancel import CancelFlag, Cancelled
from midfill.inference.preemption import StepQueue
from waiting import LIMIT, wait_until


@pytest.fixture
def worker() -> Iterator[ThreadPoolExecutor]:
    """Return a worker, and end it after the test."""
    with ThreadPoolExecutor(max_workers=1) as worker:
        yield worker


class InterruptibleStep:
    """A step that the first time lasts until it is interrupted."""

    def __init__(self) -> None:
        self.order: list[str] = []
        """What the worker did."""
        self.running = threading.Event()

    def __call__(self, flag: CancelFlag) -> str:
        self.order.append("begun")
        if len(self.order) == 1:
            stopped = threading.Event()
            with flag.interrupting(stopped.set):
                self.running.set()
                stopped.wait(LIMIT)
        flag.check()
        return "done"


def test_preempted_step_is_repeated_afterwards(worker: ThreadPoolExecutor) -> None:
    """Work that the worker was given meanwhile is done first, although the step had begun."""
    steps, step = StepQueue(worker), InterruptibleStep()
    with ThreadPoolExecutor(max_workers=1) as other:
        result = other.submit(steps.run, step, CancelFlag())
        assert step.running.wait(LIMIT)
        worker.submit(step.order.append, "typing")
        steps.preempt()
        assert result.result(LIMIT) == "done"
    assert step.order == ["begun", "typing", "begun"]


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


def test_steps_of_two_threads_are_both_preempted(worker: ThreadPoolExecutor) -> None:
    """An action and a next edit each have a step under way: a suggestion goes before both."""
    steps, first, done = StepQueue(worker), InterruptibleStep(), list[str]()
    with ThreadPoolExecutor(max_workers=2) as others:
        running = others.submit(steps.run, first, CancelFlag())
        assert first.running.wait(LIMIT)
        waiting = others.submit(steps.run, lambda _: done.append("second"), CancelFlag())
        wait_until(worker._work_queue.qsize, "the second step")
        worker.submit(done.append, "typing")
        steps.preempt()
        running.result(LIMIT)
        waiting.result(LIMIT)
    assert done == ["typing", "second"]
