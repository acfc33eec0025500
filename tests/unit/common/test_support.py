"""Which platforms are supported, judged from simulated facts; and what is said when a package cannot be imported."""

from __future__ import annotations

from dataclasses import replace

import pytest

from midfill.common.platforms import Platform, this_platform
from midfill.common.support import explain_import, obstacle

LINUX = Platform(system="Linux", system_version=(2, 36), machine="x86-64", python=(3, 12))
MAC = Platform(system="macOS", system_version=(15, 1), machine="arm64", python=(3, 12))
INTEL_MAC = replace(MAC, machine="x86-64")
WINDOWS = Platform(system="Windows", system_version=(11,), machine="x86-64", python=(3, 12))


def test_this_one_is_supported() -> None:
    """The tests run on it."""
    assert obstacle(this_platform()) == ""


@pytest.mark.parametrize("python", [(3, 10), (3, 11), (3, 12), (3, 13), (3, 14)], ids=str)
@pytest.mark.parametrize("here", [LINUX, replace(LINUX, machine="arm64"), MAC, WINDOWS], ids=str)
def test_supported(here: Platform, python: tuple[int, int]) -> None:
    """All packages exist for these."""
    assert obstacle(replace(here, python=python)) == ""


@pytest.mark.parametrize(
    "here",
    [
        replace(INTEL_MAC, python=(3, 13)),
        replace(INTEL_MAC, is_translated=True),
        replace(MAC, system_version=(13, 0)),
        replace(MAC, system_version=()),
        replace(LINUX, system_version=(2, 28)),
        replace(WINDOWS, is_translated=True),
        replace(WINDOWS, c_library="another"),
    ],
    ids=str,
)
def test_supported_at_the_limits(here: Platform) -> None:
    """The oldest systems, and those that translate."""
    assert obstacle(here) == ""


@pytest.mark.parametrize(
    ("here", "why", "advice"),
    [
        (replace(LINUX, c_library="musl", system_version=()), "glibc only", "use a container with glibc"),
        (replace(LINUX, c_library="another", system_version=()), "glibc only", "use a container"),
        (replace(LINUX, system_version=(2, 27)), "glibc 2.28 or newer", "use a system of 2019 or later"),
        (replace(LINUX, machine="riscv64"), "x86-64 and arm64 only", "use a machine"),
        (replace(LINUX, machine="armv7l", bits=32), "no 32-bit packages", "use a 64-bit Python"),
        (replace(WINDOWS, bits=32), "no 32-bit packages", "use a 64-bit Python"),
        (replace(WINDOWS, machine="arm64"), "Windows on ARM", "use a Python for x86-64"),
        (replace(INTEL_MAC, python=(3, 14)), "Intel Macs from Python 3.14 on", "use Python 3.10 to 3.13"),
        (replace(MAC, system_version=(12, 7)), "macOS 13 or newer", "update macOS"),
        (replace(MAC, system_version=(13, 6), python=(3, 14)), "macOS 14 or newer", "use Python 3.10 to 3.13"),
        (replace(MAC, is_free_threaded=True, python=(3, 14)), "free-threaded", "use the ordinary build"),
        (replace(LINUX, python=(3, 9)), "Python 3.10 or newer", "use CPython 3.10"),
        (replace(LINUX, python=(3, 15)), "no package for a Python after 3.14", "use CPython 3.10 to 3.14"),
        (replace(LINUX, implementation="PyPy"), "CPython only", "use CPython 3.10"),
        (replace(LINUX, system="FreeBSD"), "Linux, macOS and Windows only", "use one of these"),
    ],
    ids=str,
)
def test_not_supported(here: Platform, why: str, advice: str) -> None:
    """The clause says why, and what to do."""
    said = obstacle(here)
    assert why in said
    assert advice in said
    assert not said.endswith(".")


def broken(name: str | None = "onnxruntime_pybind11_state") -> ImportError:
    """Return the error of a package that is installed, but cannot be loaded."""
    return ImportError("DLL load failed while importing it:\n  the procedure was not found", name=name)


@pytest.mark.parametrize(
    ("error", "here", "said"),
    [
        (
            ModuleNotFoundError("No module named 'onnxruntime'", name="onnxruntime"),
            LINUX,
            "onnxruntime is not installed: install Midfill again, with all that it needs.",
        ),
        (
            ModuleNotFoundError("No module named 'onnxruntime'", name="onnxruntime"),
            replace(LINUX, implementation="PyPy"),
            "onnxruntime cannot be loaded, because Linux (glibc 2.36), x86-64, PyPy 3.12 is not supported: onnxruntime"
            " has packages for CPython only: use CPython 3.10 to 3.14.",
        ),
        (
            broken(),
            WINDOWS,
            "onnxruntime_pybind11_state cannot be loaded: install the newest Microsoft Visual C++ Redistributable"
            " (x64).",
        ),
        (
            broken(),
            MAC,
            "onnxruntime_pybind11_state cannot be loaded (DLL load failed while importing it: the procedure was not"
            " found): install it again, in the version that Midfill asks for.",
        ),
        (
            broken(None),
            WINDOWS,
            "a package cannot be loaded: install the newest Microsoft Visual C++ Redistributable (x64).",
        ),
    ],
    ids=["missing", "not supported", "Windows", "elsewhere", "without a name"],
)
def test_package_that_cannot_be_imported(error: ImportError, here: Platform, said: str) -> None:
    """It is one line that says what to do."""
    assert explain_import(error, here) == said


@pytest.mark.parametrize("name", ["midfill", "midfill.cli.main", "midfill_export.cli.pull"])
def test_fault_of_our_own(name: str) -> None:
    """It is no fault of the installation."""
    assert explain_import(ImportError("cannot import name 'x'", name=name), WINDOWS) == ""
