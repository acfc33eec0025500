"""Waiting for the end of a process that is not a child of this one, without waking up meanwhile."""

from __future__ import annotations

import os
import select
import sys
import time
from typing import Any

import psutil

_LOOK_SECONDS = 2.0
"""Seconds between two looks at the process, where the system cannot report its end."""


def wait_for_end(pid: int) -> None:
    """Return when no process with this id runs any more. One that nobody has reaped has ended, too.

    Raises:
        ValueError: there can be no process with this id.
    """
    if not 0 < pid < 1 << 31:
        raise ValueError("no process has this id")
    if hasattr(os, "pidfd_open"):
        _wait_on_linux(pid)
    elif hasattr(select, "kqueue"):
        _wait_on_bsd(pid, select)
    elif sys.platform == "win32":
        _wait_on_windows(pid)
    else:
        _look_again_and_again(pid)


def _wait_on_linux(pid: int) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    except OSError:  # an old kernel, or a container that forbids the call
        _look_again_and_again(pid)
        return
    try:
        poller = select.poll()
        poller.register(descriptor, select.POLLIN)
        poller.poll()
    finally:
        os.close(descriptor)


def _wait_on_bsd(pid: int, system: Any) -> None:
    """Wait as macOS can; ``system`` is the module :mod:`select`, whose types are those of the system."""
    event = system.kevent(pid, system.KQ_FILTER_PROC, system.KQ_EV_ADD | system.KQ_EV_ONESHOT, system.KQ_NOTE_EXIT)
    queue = system.kqueue()
    try:
        queue.control([event], 1)
    except ProcessLookupError:
        return
    except OSError:  # a process of another user
        _look_again_and_again(pid)
    finally:
        queue.close()


def _wait_on_windows(pid: int) -> None:
    try:
        psutil.Process(pid).wait()
    except psutil.NoSuchProcess:
        return
    except psutil.Error:
        _look_again_and_again(pid)


def _look_again_and_again(pid: int) -> None:
    try:
        process = psutil.Process(pid)
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            time.sleep(_LOOK_SECONDS)
    except psutil.NoSuchProcess:
        return
