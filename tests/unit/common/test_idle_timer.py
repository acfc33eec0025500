"""The timer that reports that nothing has happened for some time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from midfill.common.idle_timer import IdleTimer


class Handle:
    """A scheduled call."""

    def __init__(self, seconds: float, callback: Callable[[], None]) -> None:
        self.seconds = seconds
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Loop:
    """An event loop whose time does not pass."""

    def __init__(self) -> None:
        self.handles: list[Handle] = []

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Handle:
        self.handles.append(Handle(seconds, callback))
        return self.handles[-1]


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    """Make timers use a loop whose time does not pass."""
    loop = Loop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: loop)
    return loop


def test_each_restart_begins_to_wait_again(loop: Loop) -> None:
    """After several restarts only the last call is scheduled, with the whole time."""
    timer = IdleTimer(2.0, pytest.fail)
    for _ in range(3):
        timer.restart()
    assert [(handle.seconds, handle.cancelled) for handle in loop.handles] == [(2.0, True), (2.0, True), (2.0, False)]


def test_stopped_timer_does_not_call(loop: Loop) -> None:
    """A timer may be stopped twice or before a start, and restarted later."""
    timer = IdleTimer(2.0, pytest.fail)
    timer.stop()
    timer.restart()
    timer.stop()
    timer.stop()
    timer.restart()
    assert [handle.cancelled for handle in loop.handles] == [True, False]


async def test_calls_back() -> None:
    """With a real loop the timer calls back when the time is over."""
    called = asyncio.Event()
    IdleTimer(0.01, called.set).restart()
    await asyncio.wait_for(called.wait(), 30.0)


def test_timer_of_no_seconds_needs_no_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 0 seconds no loop is looked for, and nothing is scheduled."""
    asked: list[str] = []
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: asked.append("loop"))
    IdleTimer(0, pytest.fail).restart()
    assert asked == []


def test_stop_after_the_loop_has_ended() -> None:
    """A server may stop its timer after its loop has been closed."""
    called: list[str] = []
    timer = IdleTimer(60.0, lambda: called.append("call"))

    async def start() -> None:
        timer.restart()

    asyncio.run(start())
    timer.stop()
    assert called == []
