"""A process that is measured, together with those it started: it may be a script around the real one."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass

import psutil

_GLANCE_SECONDS = 0.1
_IDLE_SHARE = 0.2
"""Of one core: a process that uses less is not computing."""
_PATIENCE = 120.0
_TERMINATION_SECONDS = 10.0


def wait_until_idle(pid: int) -> None:
    """Wait until a process computes nothing, so that it does not slow down what is measured next."""
    deadline = time.monotonic() + _PATIENCE
    before = _cpu_seconds(pid)
    while time.monotonic() < deadline:
        time.sleep(_GLANCE_SECONDS)
        after = _cpu_seconds(pid)
        if after - before < _IDLE_SHARE * _GLANCE_SECONDS:
            return
        before = after


@dataclass(frozen=True)
class Memory:
    """What a process holds, in bytes."""

    resident: int
    own: int
    """Without the pages of files, weights above all, which the system takes back when it wants to; the same as
    ``resident`` where the system does not tell (not on Linux)."""


def memory_of(pid: int) -> Memory:
    """Return the memory a process holds."""
    members = [member.memory_info() for member in _family(pid)]
    resident = sum(int(info.rss) for info in members)
    return Memory(resident, resident - sum(int(getattr(info, "shared", 0)) for info in members))


def end(pid: int) -> None:
    """Terminate a process, and kill it if it stays."""
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
