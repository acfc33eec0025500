"""Turns: long work and suggestions share one worker, and suggestions never wait for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from midfill.common.cancel import CancelFlag, Cancelled
from midfill.inference.preemption import StepQueue
from waiting import LIMIT


@pytest.fixture
def worker() -> Iterator[ThreadPoolExecutor]:
    """Return a worker, ended afterwards."""
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


def test_step_that_gives_way_is_done_again_afterwards(worker: ThreadPoolExecutor) -> None:
    """What the worker was given meanwhile comes first, though the step was under way."""
    turns, step = StepQueue(worker), InterruptibleStep()
    with ThreadPoolExecutor(max_workers=1) as other:
        result = other.submit(turns.run, step, CancelFlag())
        assert step.running.wait(LIMIT)
        worker.submit(step.order.append, "typing")
        turns.preempt()
        assert result.result(LIMIT) == "done"
    assert step.order == ["begun", "typing", "begun"]


def test_cancelled_step_ends_and_is_not_done_again(worker: ThreadPoolExecutor) -> None:
    """Under way or not begun."""
    turns, cancel, begun = StepQueue(worker), CancelFlag(), list[int]()

    def step(flag: CancelFlag) -> None:
        begun.append(1)
        cancel.set("cancelled")
        flag.check()

    for _ in range(2):
        with pytest.raises(Cancelled, match="cancelled"):
            turns.run(step, cancel)
    assert begun == [1]


def test_worker_that_has_ended_ends_the_work(worker: ThreadPoolExecutor) -> None:
    """As if it were cancelled."""
    worker.shutdown()
    with pytest.raises(Cancelled, match="closed"):
        StepQueue(worker).run(lambda _: None, CancelFlag())


def test_nobody_is_idle_while_there_is_work(worker: ThreadPoolExecutor) -> None:
    """In use for as long as the block lasts."""
    turns = StepQueue(worker)
    with turns.working():
        assert turns.in_use
    assert not turns.in_use
