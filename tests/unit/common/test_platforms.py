"""The facts about a platform, found out on this one and on simulated ones."""

from __future__ import annotations

import platform
import struct
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import replace

import pytest

from midfill.common.platforms import Platform, this_platform

Simulate = Callable[..., None]
LINUX = Platform(system="Linux", system_version=(2, 36), machine="x86-64", python=(3, 12))


@pytest.fixture
def simulate(monkeypatch: pytest.MonkeyPatch) -> Simulate:
    """Return what makes Python's own functions answer as on another system."""

    def simulate(system: str, machine: str, built_for: str, **answers: object) -> None:
        config = {"SOABI": answers.pop("soabi", "cpython-312"), "Py_GIL_DISABLED": answers.pop("gil_disabled", 0)}
        replies = {
            "system": system,
            "machine": machine,
            "libc_ver": ("", ""),
            "mac_ver": ("", ("", "", ""), ""),
            "release": "11",
            "version": "",
            "processor": "",
            "python_implementation": "CPython",
            **answers,
        }
        monkeypatch.setattr(sys, "version_info", (3, 12, 4, "final", 0))
        monkeypatch.setattr(sysconfig, "get_platform", lambda: built_for)
        monkeypatch.setattr(sysconfig, "get_config_var", config.get)
        for name, value in replies.items():
            monkeypatch.setattr(platform, name, lambda value=value: value)

    return simulate


def test_this_one() -> None:
    """It is one that the tests run on, and the facts agree with Python's own."""
    found = this_platform()
    assert found.system in ("Linux", "macOS", "Windows")
    assert found.machine in ("x86-64", "arm64")
    assert found.python == sys.version_info[:2]
    assert found.bits == struct.calcsize("P") * 8
    assert all(isinstance(number, int) for number in found.system_version)


def test_simulated_macs(simulate: Simulate) -> None:
    """A universal Python is of the kind that runs now; Rosetta does not hide the kernel's name."""
    kernel = "Darwin Kernel Version 24.1.0: root:xnu-11215.41.3~2/RELEASE_{}"
    version = ("15.1.1", ("", "", ""), "")
    apple = {"mac_ver": version, "version": kernel.format("ARM64_T6000")}
    simulate("Darwin", "arm64", "macosx-10.13-universal2", **apple)
    silicon = this_platform()
    assert silicon == Platform(
        system="macOS", system_version=(15, 1), machine="arm64", c_library="another", python=(3, 12)
    )
    simulate("Darwin", "x86_64", "macosx-10.13-universal2", **apple)
    assert this_platform() == replace(silicon, machine="x86-64", is_translated=True)
    simulate("Darwin", "x86_64", "macosx-10.9-x86_64", mac_ver=version, version=kernel.format("X86_64"))
    assert this_platform() == replace(silicon, machine="x86-64")


def test_simulated_windows(simulate: Simulate) -> None:
    """What counts is what Python is built for; Windows on ARM translates a Python for x86-64."""
    simulate("Windows", "AMD64", "win-amd64", processor="Intel64 Family 6 Model 154 Stepping 3, GenuineIntel")
    plain = this_platform()
    assert (plain.system, plain.machine, plain.is_translated, plain.system_version) == (
        *("Windows", "x86-64", False),
        (11,),
    )
    simulate("Windows", "ARM64", "win-amd64", processor="ARMv8 (64-bit) Family 8 Model 1 Revision 201, Qualcomm")
    assert this_platform() == replace(plain, is_translated=True)
    simulate("Windows", "ARM64", "win-arm64", processor="ARMv8 (64-bit) Family 8 Model 1 Revision 201, Qualcomm")
    assert this_platform() == replace(plain, machine="arm64")
    simulate("Windows", "AMD64", "win32", release="2022Server")
    assert (this_platform().machine, this_platform().system_version) == ("x86-64", ())


def test_simulated_linux(simulate: Simulate) -> None:
    """The C library is told by Python, or by what Python was built for."""
    simulate("Linux", "aarch64", "linux-aarch64", libc_ver=("glibc", "2.28"))
    assert this_platform() == replace(LINUX, machine="arm64", system_version=(2, 28))
    simulate("Linux", "x86_64", "linux-x86_64", soabi="cpython-312-x86_64-linux-musl")
    assert (this_platform().c_library, this_platform().system_version) == ("musl", ())
    simulate("Linux", "armv7l", "linux-armv7l", gil_disabled=1)
    found = this_platform()
    assert (found.c_library, found.machine, found.is_free_threaded) == ("another", "armv7l", True)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (LINUX, "Linux (glibc 2.36), x86-64, CPython 3.12"),
        (replace(LINUX, c_library="musl", system_version=()), "Linux (musl), x86-64, CPython 3.12"),
        (
            Platform(system="macOS", system_version=(15, 1), machine="x86-64", is_translated=True, python=(3, 13)),
            "macOS 15.1, x86-64 translated for ARM, CPython 3.13",
        ),
        (
            Platform(system="Windows", system_version=(), machine="x86-64", bits=32, python=(3, 14)),
            "Windows, x86-64, CPython 3.14, 32 bits",
        ),
        (
            replace(LINUX, implementation="PyPy", is_free_threaded=True),
            "Linux (glibc 2.36), x86-64, PyPy 3.12, free-threaded",
        ),
    ],
    ids=str,
)
def test_in_words(found: Platform, words: str) -> None:
    """Only what is unusual is added."""
    assert str(found) == words
