"""What a long command reports while it runs: a line for each stage, with its time and memory."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import psutil

OnStage = Callable[[str], None]
"""Called with one line after each stage, and within a long one."""


def stage_lines() -> OnStage:
    """Return what writes each line to standard error, with the seconds since now and the memory in use."""
    started = time.monotonic()

    def write(line: str) -> None:
        resident = psutil.Process().memory_info().rss
        sys.stderr.write(f"{time.monotonic() - started:6.1f} s  {resident / 1e9:4.1f} GB  {line}\n")

    return write
