"""Messages to a process that does not read: nobody waits, and memory is bounded."""

from __future__ import annotations

import threading

import pytest

from midfill.sharing import outbox
from midfill.sharing.connection import ConnectionLost
from midfill.sharing.outbox import Outbox
from waiting import LIMIT, wait_until


def test_messages_are_sent_in_their_order() -> None:
    """Also those that were put before it was closed, and none after that."""
    sent: list[int] = []
    box = Outbox(sent.append)
    list(map(box.put, range(100)))
    box.close()
    box.put(100)
    wait_until(lambda: len(sent) == 100)
    assert sent == list(range(100))
    assert not box.is_full


def test_process_that_does_not_read_takes_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it has not read is counted, and the last messages are dropped."""
    monkeypatch.setattr(outbox, "_MAX_WAITING", 2)
    read = threading.Event()
    box = Outbox[int](lambda _: assert_true(read.wait(LIMIT)))
    list(map(box.put, range(4)))
    assert box.is_full
    read.set()


def assert_true(value: bool) -> None:
    """Check a value."""
    assert value


def test_process_that_has_ended_is_not_written_to() -> None:
    """The thread ends. Who receives notices the end."""
    tried: list[int] = []
    others = set(threading.enumerate())

    def send(message: int) -> None:
        tried.append(message)
        raise ConnectionLost

    box = Outbox(send)
    list(map(box.put, range(3)))
    box.close()
    wait_until(lambda: set(threading.enumerate()) <= others)
    assert tried == [0]
