"""The end of a process that is no child, as each system reports it."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from midfill.common import process_end

Wait = Callable[[int], None]


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """Run a process until its input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as running:
        yield running
        running.kill()


def events(pid: int) -> None:
    """Wait as on this system."""
    process_end.wait_for_end(pid)


WAYS: list[Wait] = [events, process_end._look_again_and_again]


@pytest.fixture(autouse=True)
def short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again at once."""
    monkeypatch.setattr(process_end, "_LOOK_SECONDS", 0.001)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("wait", WAYS)
def test_end_is_noticed(process: subprocess.Popen[bytes], wait: Wait) -> None:
    """It is waited for, and need not be reaped."""
    waiting = threading.Thread(target=wait, args=(process.pid,), daemon=True)
    waiting.start()
    assert waiting.is_alive()
    process.kill()
    waiting.join()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("wait", [*WAYS, process_end._wait_on_windows])
def test_process_that_has_ended(process: subprocess.Popen[bytes], wait: Wait) -> None:
    """There is nothing to wait for."""
    process.kill()
    process.wait()
    wait(process.pid)


@pytest.mark.parametrize("pid", [0, -1, 1 << 31, 1 << 80])
def test_number_that_no_process_has(pid: int) -> None:
    """It is refused."""
    with pytest.raises(ValueError, match="no process has this id"):
        process_end.wait_for_end(pid)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("error", [PermissionError(), OSError()])
def test_system_that_refuses(process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    """The process is looked at again and again."""
    monkeypatch.setattr(os, "pidfd_open", refusing(error), raising=False)
    process.kill()
    process_end.wait_for_end(process.pid)


@pytest.mark.timeout(60)
def test_windows(process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """There psutil waits, and what may not be waited for is looked at."""
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    monkeypatch.delattr(select, "kqueue", raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
    waited: list[int] = []
    monkeypatch.setattr(psutil.Process, "wait", lambda self: waited.append(self.pid))
    process_end.wait_for_end(process.pid)
    assert waited == [process.pid]
    process.kill()
    monkeypatch.setattr(psutil.Process, "wait", refusing(psutil.AccessDenied()))
    process_end.wait_for_end(process.pid)


class Kqueue:
    """macOS's queue of events, with one process that has ended."""

    def __init__(self, error: OSError | None = None) -> None:
        self.asked: list[Any] = []
        self.closed = False
        self._error = error

    def control(self, changes: list[Any], limit: int) -> list[Any]:
        self.asked += [*changes, limit]
        if self._error:
            raise self._error
        return changes

    def close(self) -> None:
        self.closed = True


@pytest.mark.timeout(60)
@pytest.mark.parametrize("error", [None, ProcessLookupError(), PermissionError()])
def test_macos(process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch, error: OSError | None) -> None:
    """The system's queue is asked for the process's end, without a limit of time."""
    queue = Kqueue(error)
    system = SimpleNamespace(
        kqueue=lambda: queue,
        kevent=lambda *of: of,
        KQ_FILTER_PROC=-5,
        KQ_EV_ADD=1,
        KQ_EV_ONESHOT=16,
        KQ_NOTE_EXIT=1 << 31,
    )
    process.kill()
    process_end._wait_on_bsd(process.pid, system)
    assert queue.asked == [(process.pid, -5, 17, 1 << 31), 1]
    assert queue.closed


def refusing(error: Exception) -> Callable[..., Any]:
    """Make a function that fails."""

    def refuse(*_: object) -> None:
        raise error

    return refuse
