"""The timer for when nothing happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from midfill.common.idle_timer import IdleTimer


class Handle:
    """A call to come."""

    def __init__(self, seconds: float, callback: Callable[[], None]) -> None:
        self.seconds = seconds
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Loop:
    """An event loop whose time stands still."""

    def __init__(self) -> None:
        self.handles: list[Handle] = []

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Handle:
        self.handles.append(Handle(seconds, callback))
        return self.handles[-1]


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    """Have timers use a loop whose time stands still."""
    loop = Loop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: loop)
    return loop


def test_each_restart_waits_anew(loop: Loop) -> None:
    """Of several restarts only the last is waited for, and for the whole time."""
    timer = IdleTimer(2.0, pytest.fail)
    for _ in range(3):
        timer.restart()
    assert [(handle.seconds, handle.cancelled) for handle in loop.handles] == [(2.0, True), (2.0, True), (2.0, False)]


def test_stopped_timer_does_not_call(loop: Loop) -> None:
    """Stopping twice, or before any start, does no harm, and it can be restarted."""
    timer = IdleTimer(2.0, pytest.fail)
    timer.stop()
    timer.restart()
    timer.stop()
    timer.stop()
    timer.restart()
    assert [handle.cancelled for handle in loop.handles] == [True, False]


async def test_calls_back() -> None:
    """A real loop calls when the time is over, once."""
    called = asyncio.Event()
    IdleTimer(0.01, called.set).restart()
    await asyncio.wait_for(called.wait(), 30.0)


def test_timer_of_no_seconds_needs_no_loop() -> None:
    """Zero is never."""
    IdleTimer(0, lambda: None).restart()


def test_stop_after_the_loop_has_ended() -> None:
    """A server closes when its loop is gone."""
    timer = IdleTimer(60.0, lambda: None)

    async def start() -> None:
        timer.restart()

    asyncio.run(start())
    timer.stop()
