"""The circuit breaker: when a server is left alone, and for how long."""

from __future__ import annotations

from midfill.remote.breaker import Breaker
from unit.clock import ManualClock


def test_failing_server_is_left_alone_longer_each_time() -> None:
    """The pause begins with five seconds, doubles, and ends at a minute."""
    clock = ManualClock()
    breaker = Breaker(clock.now)
    pauses = []
    for _ in range(6):
        breaker.failed()
        pause = next(seconds for seconds in range(100) if _may_try_after(breaker, clock, 1.0 if seconds else 0.0))
        pauses.append(pause)
    assert pauses == [5, 10, 20, 40, 60, 60]


def _may_try_after(breaker: Breaker, clock: ManualClock, seconds: float) -> bool:
    clock.advance(seconds)
    return breaker.may_try


def test_slow_server_has_three_tries() -> None:
    """The prompt of a new document is much to read."""
    breaker = Breaker(ManualClock().now)
    tries = []
    for _ in range(3):
        tries.append(breaker.is_open)
        breaker.failed(is_slow=True)
    assert (tries, breaker.is_open) == ([False, False, False], True)


def test_answer_in_time_forgets_all_failures() -> None:
    """Also those that were only slow."""
    breaker = Breaker(ManualClock().now)
    breaker.failed(is_slow=True)
    breaker.failed(is_slow=True)
    breaker.succeeded()
    breaker.failed(is_slow=True)
    assert not breaker.is_open
    breaker.failed()
    breaker.succeeded()
    assert breaker.may_try
