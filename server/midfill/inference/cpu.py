"""What the system says of the processor: its name."""

from __future__ import annotations

import platform
from pathlib import Path


def cpuinfo() -> str:
    """Return the text of ``/proc/cpuinfo``, which describes the processor on Linux; "" on other systems."""
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def model_name(info: str) -> str:
    """Return the processor's name from the cpuinfo ``info``; without one, the name that Python knows."""
    name = _first(info, "model name")
    return name or platform.processor() or platform.machine()


def _first(info: str, name: str) -> str:
    """Return the value of the first line that starts with ``name``; "" if there is none."""
    return next((line.partition(":")[2].strip() for line in info.splitlines() if line.startswith(name)), "")
