"""The kind of 8-bit arithmetic that this processor has. A bundle is quantised for one kind, its target.

* ``vnni``: x86-64 with AVX512-VNNI or AVX-VNNI. Products of u8 and s8 accumulate in 32 bits, so weights use all 8 bits.
* ``avx2``: x86-64 without these. ``vpmaddubsw`` adds pairs of products in 16 bits and saturates, so weights use 7 bits.
* ``arm64``: dot products accumulate in 32 bits, as with VNNI.
"""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path

TARGETS = ("vnni", "avx2", "arm64")

_RUNS_ON = {"vnni": {"vnni"}, "avx2": {"vnni", "avx2"}, "arm64": {"arm64"}}


@cache
def detect_target() -> str:
    """Return the best target for this processor."""
    return target_of(platform.machine(), cpuinfo())


def target_of(machine: str, info: str) -> str:
    """Return the best target for a ``machine`` (as ``platform.machine`` names it) with the cpuinfo ``info``.

    If nothing is known, this is ``avx2``, whose weights are correct on every x86-64 processor.
    """
    if machine.lower() in ("arm64", "aarch64"):
        return "arm64"
    return "vnni" if _flags(info) & {"avx512_vnni", "avx_vnni"} else "avx2"


def runs_here(target: str) -> bool:
    """Return whether weights quantised for ``target`` give correct results on this processor."""
    return runs_on(target, detect_target())


def runs_on(target: str, best: str) -> bool:
    """Return whether weights quantised for ``target`` give correct results where the best target is ``best``."""
    return best in _RUNS_ON.get(target, set())


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


def _flags(info: str) -> frozenset[str]:
    """Return the processor's feature flags by their Linux names; empty if ``info`` does not list them."""
    return frozenset((_first(info, "flags") or _first(info, "Features")).split())


def _first(info: str, name: str) -> str:
    """Return the value of the first line that starts with ``name``; "" if there is none."""
    return next((line.partition(":")[2].strip() for line in info.splitlines() if line.startswith(name)), "")
