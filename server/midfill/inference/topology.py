"""The cores of this processor: which hardware threads each one has, and how fast each is compared with the others.

Each system reports this in another way. A function for each one takes what was reported and returns the cores.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import psutil

_EFFICIENCY_CORE = 0.4
"""Speed of an efficiency core, where the system says only that it is one. With 8-bit products, those of Intel and of
Apple reach about this part of a performance core's speed."""
_RELATION_PROCESSOR_CORE = 0
_GROUP_SIZE = 64
"""Number of hardware threads in a processor group of Windows."""


class Core(NamedTuple):
    """One core."""

    threads: frozenset[int]
    """The numbers of its hardware threads, as the system counts them."""
    speed: float = 1.0
    """Speed relative to other cores of the same machine; the unit has no meaning."""


def read() -> list[Core]:
    """Return the cores of this machine. Where the system does not describe them, all are taken to be equal."""
    if sys.platform == "linux":
        found = linux_cores(Path("/sys"))
    elif sys.platform == "darwin":
        found = mac_cores(_sysctl)
    elif sys.platform == "win32":
        found = windows_cores(_windows_records())
    else:
        found = []
    return found or equal_cores(os.cpu_count() or 1, psutil.cpu_count(logical=False) or os.cpu_count() or 1)


def equal_cores(threads: int, cores: int) -> list[Core]:
    """Return ``cores`` equal cores that have ``threads`` hardware threads together."""
    return [Core(frozenset(range(number, threads, cores))) for number in range(min(cores, threads))]


def linux_cores(system: Path) -> list[Core]:
    """Return the cores that the files in ``system`` (``/sys``) describe; [] if they describe none."""
    folder = system / "devices/system/cpu"
    online = _numbers(_read(folder / "online"))
    speeds = _linux_speeds(system, online)
    threads = {}
    for number in sorted(online):
        siblings = _read(folder / f"cpu{number}/topology/core_cpus_list")
        siblings = siblings or _read(folder / f"cpu{number}/topology/thread_siblings_list")  # before Linux 5.3
        threads[frozenset(_numbers(siblings) & online) or frozenset((number,))] = speeds.get(number, 1.0)
    return [Core(*item) for item in threads.items()]


def _linux_speeds(system: Path, online: Iterable[int]) -> dict[int, float]:
    """Return the speed of each hardware thread by its number; {} if all are equal, as far as is known."""
    efficient = _numbers(_read(system / "devices/cpu_atom/cpus")) | _numbers(
        _read(system / "devices/cpu_lowpower/cpus")
    )
    if efficient:  # a hybrid processor of Intel's
        return {number: _EFFICIENCY_CORE if number in efficient else 1.0 for number in online}
    for name in ("cpu_capacity", "cpufreq/cpuinfo_max_freq"):
        texts = {number: _read(system / f"devices/system/cpu/cpu{number}" / name).strip() for number in online}
        speeds = {number: float(text) for number, text in texts.items() if text.isdecimal() and int(text)}
        if len(speeds) == len(texts) and len(set(speeds.values())) > 1:
            return speeds
    return {}


def mac_cores(sysctl: Callable[[str], int]) -> list[Core]:
    """Return the cores by performance level. ``sysctl`` returns the number with a name; 0 if there is none."""
    levels = [f"hw.perflevel{level}." for level in range(sysctl("hw.nperflevels"))] or ["hw."]
    cores: list[Core] = []
    for rank, level in enumerate(levels):
        first = sum(len(core.threads) for core in cores)
        of_level = equal_cores(sysctl(f"{level}logicalcpu"), sysctl(f"{level}physicalcpu"))
        cores += [Core(frozenset(first + n for n in core.threads), _EFFICIENCY_CORE**rank) for core in of_level]
    return cores


def windows_cores(records: bytes) -> list[Core]:
    """Return the cores that ``GetLogicalProcessorInformationEx`` describes, as a 64-bit process gets them.

    Each of the ``records`` begins with its kind and its size. That of a core has the core's efficiency class, which is
    higher for a faster core, and a mask of its hardware threads for each processor group.
    """
    classes: dict[frozenset[int], int] = {}
    offset = 0
    while offset + 32 <= len(records):
        kind, size, _flags, efficiency, groups = struct.unpack_from("<IIBB20xH", records, offset)
        end = offset + size
        if size < 32 or end > len(records):
            break
        if kind == _RELATION_PROCESSOR_CORE:
            masks = struct.iter_unpack("<QH6x", records[offset + 32 : offset + 32 + 16 * groups])
            threads = {
                group * _GROUP_SIZE + bit for mask, group in masks for bit in range(_GROUP_SIZE) if mask >> bit & 1
            }
            classes[frozenset(threads)] = efficiency
        offset = end
    ranks = {each: rank for rank, each in enumerate(sorted(set(classes.values()), reverse=True))}
    return [Core(threads, _EFFICIENCY_CORE ** ranks[efficiency]) for threads, efficiency in classes.items() if threads]


def _sysctl(name: str) -> int:
    value, size = ctypes.c_uint32(), ctypes.c_size_t(4)
    failed = ctypes.CDLL(None).sysctlbyname(name.encode(), ctypes.byref(value), ctypes.byref(size), None, 0)
    return 0 if failed else value.value


def _windows_records() -> bytes:
    if sys.platform != "win32":
        return b""
    ask = ctypes.WinDLL("kernel32").GetLogicalProcessorInformationEx
    size = ctypes.c_uint32()
    ask(_RELATION_PROCESSOR_CORE, None, ctypes.byref(size))  # says how large the answer is
    records = ctypes.create_string_buffer(size.value)
    return records.raw if ask(_RELATION_PROCESSOR_CORE, records, ctypes.byref(size)) else b""


def _numbers(text: str) -> set[int]:
    """Return the numbers in a list as Linux writes it, such as ``0-3,8``."""
    numbers: set[int] = set()
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        if first.isdecimal() and (last or first).isdecimal():
            numbers.update(range(int(first), int(last or first) + 1))
    return numbers


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
