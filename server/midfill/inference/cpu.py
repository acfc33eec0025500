"""Which 8-bit arithmetic this processor has, since a bundle is quantised for one kind.

* ``vnni``: x86-64 with AVX512-VNNI or AVX-VNNI. Products of u8 and s8 accumulate in 32 bits: all 8 bits can be used.
* ``avx2``: x86-64 without. ``vpmaddubsw`` adds pairs of products in 16 bits and saturates, so weights get 7 bits.
* ``arm64``: dot products accumulate in 32 bits, as with VNNI.
"""

from __future__ import annotations

import os
import platform
import sys
from functools import cache
from pathlib import Path

TARGETS = ("vnni", "avx2", "arm64")

_RUNS_ON = {"vnni": {"vnni"}, "avx2": {"vnni", "avx2"}, "arm64": {"arm64"}}


@cache
def detect_target() -> str:
    """Return the best target for this processor."""
    return target_of(platform.machine(), cpuinfo())


def target_of(machine: str, info: str) -> str:
    """Return the best target for a kind of machine and its cpuinfo; where it cannot be told, the cautious ``avx2``."""
    if machine.lower() in ("arm64", "aarch64"):
        return "arm64"
    return "vnni" if _flags(info) & {"avx512_vnni", "avx_vnni"} else "avx2"


def runs_here(target: str) -> bool:
    """Return whether weights quantised for ``target`` give right results on this processor."""
    return runs_on(target, detect_target())


def runs_on(target: str, best: str) -> bool:
    """Return whether weights quantised for ``target`` give right results where ``best`` is the best target."""
    return best in _RUNS_ON.get(target, set())


def cpuinfo() -> str:
    """Return what Linux tells about the processor; "" on other systems."""
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def model_name(info: str) -> str:
    """Return what the processor calls itself in its cpuinfo, or what else is known of it."""
    named = _first(info, "model name")
    return named or platform.processor() or platform.machine()


def usable_cores() -> int:
    """Return how many cores this process may run on."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _flags(info: str) -> frozenset[str]:
    """Return the processor's feature flags as Linux names them; empty where the system does not list them."""
    return frozenset((_first(info, "flags") or _first(info, "Features")).split())


def _first(info: str, name: str) -> str:
    """Return the value of the first line that starts with ``name``; "" for none."""
    return next((line.partition(":")[2].strip() for line in info.splitlines() if line.startswith(name)), "")
