"""The end of a process in bounded time, whatever its threads do."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable


def exit_within(seconds: float, code: Callable[[], int]) -> None:
    """End this process after ``seconds``, unless it has ended by then; ``code`` gives the exit code at that time.

    Threads that still work are not waited for, and nothing is written any more.
    """
    timer = threading.Timer(seconds, lambda: os._exit(code()))
    timer.daemon = True
    timer.start()
