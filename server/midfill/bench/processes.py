"""Measures a process together with its children, because the process may be a script that starts the real program."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass

import psutil

_POLL_SECONDS = 0.1
_IDLE_SHARE = 0.2
"""Share of one core. A process that uses less counts as idle."""
_TIMEOUT_SECONDS = 120.0
_TERMINATION_SECONDS = 10.0


def wait_until_idle(pid: int) -> None:
    """Wait until a process is idle, so that it does not slow down the next measurement; give up after two minutes."""
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    before = _cpu_seconds(pid)
    while time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        after = _cpu_seconds(pid)
        if after - before < _IDLE_SHARE * _POLL_SECONDS:
            return
        before = after


@dataclass(frozen=True)
class Memory:
    """The memory of a process, in bytes."""

    resident: int
    own: int
    """Resident memory without mapped files, such as the weights. The system can take mapped files out of memory at any
    time. Where the system does not report them (only Linux does), this is ``resident``."""


def memory_of(pid: int) -> Memory:
    """Return the memory of a process and its children."""
    members = [member.memory_info() for member in _family(pid)]
    resident = sum(int(info.rss) for info in members)
    return Memory(resident, resident - sum(int(getattr(info, "shared", 0)) for info in members))


def end(pid: int) -> None:
    """Terminate a process and its children, and kill those that do not end in time."""
    family = _family(pid)
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.terminate()
    for member in psutil.wait_procs(family, timeout=_TERMINATION_SECONDS)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [*process.children(recursive=True), process]
    except psutil.NoSuchProcess:
        return []


def _cpu_seconds(pid: int) -> float:
    times = [member.cpu_times() for member in _family(pid)]
    return float(sum(time.user + time.system for time in times))
