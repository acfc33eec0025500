"""What a long command tells while it runs: a line a stage, with the time and the memory that it took so far."""

from __future__ import annotations

import sys
import time

import psutil

from midfill_export.build.pack import OnStage


def stage_lines() -> OnStage:
    """Return what writes stages to standard error, timed from now on."""
    started = time.monotonic()

    def tell(line: str) -> None:
        resident = psutil.Process().memory_info().rss
        sys.stderr.write(f"{time.monotonic() - started:6.1f} s  {resident / 1e9:4.1f} GB  {line}\n")

    return tell
