"""Turns: long work and suggestions share one worker, and suggestions never wait for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from midfill.common.cancel import CancelFlag, Cancelled
from midfill.inference.preemption import StepQueue


@pytest.fixture
def worker() -> Iterator[ThreadPoolExecutor]:
    """Return a worker, ended afterwards."""
    with ThreadPoolExecutor(max_workers=1) as worker:
        yield worker


def test_step_that_gives_way_is_done_again_afterwards(worker: ThreadPoolExecutor) -> None:
    """What the worker was given meanwhile comes first, though the step was under way."""
    turns, order, running = StepQueue(worker), list[str](), threading.Event()

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
        result = other.submit(turns.run, step, CancelFlag())
        assert running.wait(10)
        worker.submit(order.append, "typing")
        turns.preempt()
        assert result.result(10) == "done"
    assert order == ["begun", "typing", "begun"]


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
