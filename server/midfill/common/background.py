"""How a child process is kept in the background: at low priority, and on Windows without a window."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

_NICENESS = 10
_BELOW_NORMAL_PRIORITY = 0x0000_4000
_NO_WINDOW = 0x0800_0000


def creation_flags(platform: str = sys.platform) -> int:
    """Return the ``creationflags`` with which the parent starts the child. Only Windows has any."""
    return _BELOW_NORMAL_PRIORITY | _NO_WINDOW if platform == "win32" else 0


def no_window(platform: str = sys.platform) -> int:
    """Return the ``creationflags`` of a child that only shall open no window."""
    return _NO_WINDOW if platform == "win32" else 0


def enter() -> None:
    """Lower the priority of this process, where its parent could not. Leave Ctrl-C to the parent.

    The child ends when its parent does, because its input ends then.
    """
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
        _lower_own_session()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _lower_own_session() -> None:
    """Lower the priority of this process' session, if it leads one: Linux may compare sessions before processes."""
    if os.getsid(0) == os.getpid():
        with suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(_NICENESS), encoding="ascii")
