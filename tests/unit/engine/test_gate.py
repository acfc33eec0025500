"""The gate: typing before actions before work ahead, across all clients, and nothing waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from midfill.common.cancel import CancelFlag, Cancelled
from midfill.engine.gate import Gate, Priority
from waiting import LIMIT, wait_until


class Bench:
    """A gate with threads that wait at it, and the order in which their steps were done."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self.gate = Gate()
        self.order: list[str] = []
        self._threads = threads

    def ask(self, name: str, priority: Priority, cancel: CancelFlag | None = None) -> Future[None]:
        """Begin a step that ends at once; return when it waits at the gate, or is done."""
        before = len(self.gate._waiting)
        step = self._threads.submit(self.gate.run, priority, lambda _: self.order.append(name), cancel or CancelFlag())
        wait_until(lambda: len(self.gate._waiting) > before or step.done())
        return step

    def hold(self, priority: Priority, cancel: CancelFlag | None = None) -> tuple[Future[None], threading.Event]:
        """Begin a step that lasts until it is interrupted or let go; return when it runs."""
        running, go = threading.Event(), threading.Event()

        def step(flag: CancelFlag) -> None:
            self.order.append("held")
            running.set()
            with flag.interrupting(go.set):
                assert go.wait(LIMIT)
            flag.check()

        done = self._threads.submit(self.gate.run, priority, step, cancel or CancelFlag())
        assert running.wait(LIMIT)
        return done, go


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Return a gate, and end its threads after the test."""
    with ThreadPoolExecutor(max_workers=8) as threads:
        yield Bench(threads)


@pytest.mark.parametrize("lower", [Priority.ACTION, Priority.AHEAD])
def test_typing_interrupts_other_work(bench: Bench, lower: Priority) -> None:
    """A step of an action, or of work ahead, stops for typing, and is done again afterwards."""
    held, go = bench.hold(lower)
    bench.ask("typing", Priority.TYPING).result(LIMIT)
    wait_until(lambda: len(bench.order) == 3)
    go.set()
    held.result(LIMIT)
    assert bench.order == ["held", "typing", "held"]


def test_action_interrupts_work_ahead(bench: Bench) -> None:
    """Somebody waits for an action, and nobody for work ahead."""
    held, _ = bench.hold(Priority.AHEAD)
    bench.ask("action", Priority.ACTION).result(LIMIT)
    held.result(LIMIT)
    assert bench.order == ["held", "action", "held"]


def flag_that_is_set() -> CancelFlag:
    """Return a flag of work that was cancelled before it began."""
    flag = CancelFlag()
    flag.set("cancelled")
    return flag


def test_typing_of_one_does_not_interrupt_that_of_another(bench: Bench) -> None:
    """Equals wait for each other, in the order in which they came; the urgent ones go first."""
    held, go = bench.hold(Priority.TYPING)
    later = [
        bench.ask("ahead", Priority.AHEAD),
        bench.ask("action", Priority.ACTION),
        bench.ask("first", Priority.TYPING),
        bench.ask("second", Priority.TYPING),
    ]
    assert bench.order == ["held"]
    go.set()
    held.result(LIMIT)
    [each.result(LIMIT) for each in later]
    assert bench.order == ["held", "first", "second", "action", "ahead"]


def test_step_that_waits_can_be_cancelled(bench: Bench) -> None:
    """It ends at once, and those behind it still get their turn."""
    held, go = bench.hold(Priority.TYPING)
    cancel = CancelFlag()
    waiting = bench.ask("cancelled", Priority.TYPING, cancel)
    behind = bench.ask("behind", Priority.TYPING)
    cancel.set("cancelled")
    with pytest.raises(Cancelled):
        waiting.result(LIMIT)
    go.set()
    held.result(LIMIT)
    behind.result(LIMIT)
    assert bench.order == ["held", "behind"]


def test_step_that_runs_can_be_cancelled(bench: Bench) -> None:
    """It is interrupted, is not done again, and the gate is free."""
    cancel = CancelFlag()
    held, _ = bench.hold(Priority.AHEAD, cancel)
    cancel.set("cancelled")
    with pytest.raises(Cancelled):
        held.result(LIMIT)
    bench.ask("next", Priority.AHEAD).result(LIMIT)
    assert bench.order == ["held", "next"]


def test_failing_step_leaves_the_gate_open(bench: Bench) -> None:
    """An error goes to the one whose step it was."""
    with pytest.raises(ZeroDivisionError):
        bench.gate.run(Priority.TYPING, lambda _: 1 // 0, CancelFlag())
    bench.ask("next", Priority.TYPING).result(LIMIT)
    assert bench.order == ["next"]


def test_only_one_step_runs_at_a_time(bench: Bench) -> None:
    """Hundreds of steps of all priorities, some cancelled: each of the others is done once, and never two at once."""
    inside, most, done = [0], [0], [0]

    def step(flag: CancelFlag) -> None:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        inside[0] -= 1
        flag.check()
        done[0] += 1

    def steps(number: int) -> int:
        cancelled = 0
        for turn in range(100):
            cancel = flag_that_is_set() if turn % 2 else CancelFlag()
            try:
                bench.gate.run(Priority((number + turn) % 3), step, cancel)
            except Cancelled:
                cancelled += 1
        return cancelled

    with ThreadPoolExecutor(max_workers=6) as threads:
        cancelled = sum(threads.map(steps, range(6), timeout=LIMIT))
    assert (most[0], cancelled, done[0]) == (1, 300, 300)
