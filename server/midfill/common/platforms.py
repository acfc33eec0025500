"""What Midfill runs on: the system, the processor and the build of Python, as facts that can be simulated."""

from __future__ import annotations

import platform
import struct
import sys
import sysconfig
from dataclasses import dataclass

_MACHINES = {"x86_64": "x86-64", "amd64": "x86-64", "arm64": "arm64", "aarch64": "arm64"}
_SYSTEMS = {"Darwin": "macOS"}


@dataclass(frozen=True, kw_only=True)
class Platform:
    """Facts about the Python that runs Midfill, and about the system around it."""

    system: str
    """"Linux", "macOS" or "Windows"; other systems as :func:`platform.system` names them."""
    system_version: tuple[int, ...]
    """The version of macOS, and on Linux that of the C library. Empty if it is unknown."""
    machine: str
    """The processor that Python is built for: "x86-64", "arm64", or as :func:`platform.machine` names it."""
    is_translated: bool = False
    """Whether the system translates x86-64 programs for an ARM processor (Rosetta, Windows on ARM)."""
    bits: int = 64
    c_library: str = "glibc"
    """On Linux: "glibc", "musl" or "another"."""
    implementation: str = "CPython"
    python: tuple[int, int]
    is_free_threaded: bool = False

    def __str__(self) -> str:
        """Return the facts in words, such as "macOS 15.1, arm64, CPython 3.13"."""
        version = ".".join(map(str, self.system_version))
        if self.system == "Linux":
            version = f"({self.c_library}{f' {version}' if version else ''})"
        machine = self.machine + (" translated for ARM" if self.is_translated else "")
        python = f"{self.implementation} {'.'.join(map(str, self.python))}"
        build = ", free-threaded" if self.is_free_threaded else ""
        width = ", 32 bits" if self.bits == 32 else ""
        return f"{self.system} {version}".strip() + f", {machine}, {python}{build}{width}"


def this_platform() -> Platform:
    """Return the facts about this process."""
    system = platform.system()
    return Platform(
        system=_SYSTEMS.get(system, system),
        system_version=_numbers(_version(system)),
        machine=_machine(),
        is_translated=_machine() == "x86-64" and _runs_on_arm(system),
        bits=struct.calcsize("P") * 8,
        c_library=_c_library(),
        implementation=platform.python_implementation(),
        python=sys.version_info[:2],
        is_free_threaded=bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    )


def _machine() -> str:
    """Return the processor that Python is built for. ``platform.machine`` names that of the system on Windows."""
    built_for = sysconfig.get_platform()  # such as win-amd64
    name = built_for.removeprefix("win-") if built_for.startswith("win-") else platform.machine()
    return _MACHINES.get(name.lower(), name)


def _runs_on_arm(system: str) -> bool:
    if system == "Darwin":
        return "ARM64" in platform.version()  # the kernel's name for its build, which Rosetta does not hide
    return system == "Windows" and platform.processor().startswith("ARM")


def _version(system: str) -> str:
    if system == "Darwin":
        return platform.mac_ver()[0]
    return platform.libc_ver()[1] if system == "Linux" else platform.release()


def _c_library() -> str:
    if platform.libc_ver()[0] == "glibc":
        return "glibc"
    built_for = f"{sysconfig.get_config_var('SOABI')} {sysconfig.get_config_var('HOST_GNU_TYPE')}"
    return "musl" if "musl" in built_for else "another"


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers at the beginning of a version."""
    numbers = []
    for part in version.split(".")[:2]:
        if not part.isdecimal():
            break
        numbers.append(int(part))
    return tuple(numbers)
