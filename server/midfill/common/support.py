"""Which platforms Midfill runs on, and why it does not run on the others. The same is in docs/platforms.md.

The limits are those of the packages that Midfill needs, above all onnxruntime's.
"""

from __future__ import annotations

from collections.abc import Callable

from midfill.common.platforms import Platform

OLDEST_PYTHON = (3, 10)
NEWEST_PYTHON = (3, 14)
"""The newest Python for which all packages exist."""
OLDEST_GLIBC = (2, 28)
OLDEST_MACOS = (13,)
_MAX_ERROR_CHARACTERS = 200

_OBSTACLES: tuple[tuple[Callable[[Platform], bool], str], ...] = (
    (
        lambda here: here.implementation != "CPython",
        "onnxruntime has packages for CPython only: use CPython 3.10 to 3.14",
    ),
    (lambda here: here.python < OLDEST_PYTHON, "it needs Python 3.10 or newer: use CPython 3.10 to 3.14"),
    (
        lambda here: here.python > NEWEST_PYTHON,
        "onnxruntime has no package for a Python after 3.14: use CPython 3.10 to 3.14",
    ),
    (
        lambda here: here.is_free_threaded,
        "some packages do not exist for free-threaded builds: use the ordinary build of Python",
    ),
    (lambda here: here.bits != 64, "onnxruntime has no 32-bit packages: use a 64-bit Python"),
    (
        lambda here: here.system not in ("Linux", "macOS", "Windows"),
        "onnxruntime has packages for Linux, macOS and Windows only: use one of these",
    ),
    (
        lambda here: here.machine not in ("x86-64", "arm64"),
        "onnxruntime has packages for x86-64 and arm64 only: use a machine of one of these kinds",
    ),
    (
        lambda here: here.system == "Linux" and here.c_library != "glibc",
        "onnxruntime has packages for glibc only: on Alpine Linux and others with musl, use a container with glibc",
    ),
    (
        lambda here: here.system == "Linux" and () < here.system_version < OLDEST_GLIBC,
        "onnxruntime needs glibc 2.28 or newer: use a system of 2019 or later, such as Debian 10",
    ),
    (
        lambda here: here.system == "macOS" and () < here.system_version < OLDEST_MACOS,
        "onnxruntime needs macOS 13 or newer: update macOS",
    ),
    (
        lambda here: here.system == "macOS" and here.python >= (3, 14) and () < here.system_version < (14,),
        "onnxruntime needs macOS 14 or newer from Python 3.14 on: use Python 3.10 to 3.13",
    ),
    (
        lambda here: here.system == "macOS" and here.machine == "x86-64" and here.python >= (3, 14),
        "onnxruntime has no package for Intel Macs from Python 3.14 on: use Python 3.10 to 3.13, or on Apple silicon"
        " a Python for arm64",
    ),
    (
        lambda here: here.system == "Windows" and here.machine == "arm64",
        "some packages do not exist for Windows on ARM: use a Python for x86-64, which Windows translates",
    ),
)
"""Conditions under which Midfill does not run; why, and what to do. The first that is met counts."""


def obstacle(here: Platform) -> str:
    """Return why Midfill does not run on a platform and what to do, without a full stop; "" if it runs there."""
    return next((why for is_met, why in _OBSTACLES if is_met(here)), "")


def explain_import(error: ImportError, here: Platform) -> str:
    """Return one line about a package that cannot be imported, and what to do; "" if Midfill itself is at fault."""
    package = (error.name or "").partition(".")[0]
    if package in ("midfill", "midfill_export"):
        return ""
    named = package or "a package"
    if why := obstacle(here):
        return f"{named} cannot be loaded, because {here} is not supported: {why}."
    if isinstance(error, ModuleNotFoundError):
        return f"{named} is not installed: install Midfill again, with all that it needs."
    if here.system == "Windows":
        return f"{named} cannot be loaded: install the newest Microsoft Visual C++ Redistributable (x64)."
    said = " ".join(str(error).split())[:_MAX_ERROR_CHARACTERS]
    return f"{named} cannot be loaded ({said}): install it again, in the version that Midfill asks for."
