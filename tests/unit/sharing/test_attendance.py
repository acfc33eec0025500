"""An engine process ends some time after its last client, and soon if nobody comes."""

from __future__ import annotations

import pytest

from midfill.sharing.attendance import Attendance
from unit.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock that stands still."""
    return ManualClock()


def test_nobody_comes(clock: ManualClock) -> None:
    """The engine waits for its first client for a limited time."""
    attendance = Attendance(clock.now, join_seconds=60.0)
    clock.advance(20)
    assert attendance.seconds_left == 40
    clock.advance(50)
    attendance.wait_until_over()
    assert attendance.seconds_left == 0


def test_engine_stays_after_its_last_work(clock: ManualClock) -> None:
    """It stays for as long as any client is there, and then until enough time has passed since the last request."""
    attendance = Attendance(clock.now)
    attendance.joined()
    attendance.keep(300)
    attendance.joined()
    attendance.keep(300)
    attendance.left()
    assert attendance.seconds_left is None
    clock.advance(1000)
    attendance.worked()
    clock.advance(100)
    attendance.left()
    assert attendance.seconds_left == 200


def test_client_that_was_idle_takes_the_engine_with_it(clock: ManualClock) -> None:
    """A client that leaves because nothing was asked for so long does not add the same time again."""
    attendance = Attendance(clock.now)
    attendance.joined()
    attendance.keep(300)
    attendance.worked()
    clock.advance(300)
    attendance.left()
    attendance.wait_until_over()
    assert attendance.seconds_left == 0


def test_engine_that_could_not_load_ends_with_its_last_client(clock: ManualClock) -> None:
    """Only a client that could be served makes it stay."""
    attendance = Attendance(clock.now)
    attendance.joined()
    attendance.worked()
    attendance.left()
    assert attendance.seconds_left == 0
