"""The kind of processor, found from what the system reports."""

from __future__ import annotations

import pytest

from midfill.inference.cpu import TARGETS, detect_target, model_name, runs_here, runs_on, target_of

INTEL = """processor\t: 0
model name\t: Intel(R) Xeon(R) Platinum 8488C
flags\t\t: fpu vme sse4_2 avx avx2 avx512f avx512_vnni amx_int8

processor\t: 1
flags\t\t: fpu
"""
OLD = "processor\t: 0\nmodel name\t: Intel(R) Core(TM) i5-4300U CPU\nflags\t\t: fpu sse4_2 avx avx2\n"
ALDER_LAKE = "flags\t\t: avx2 avx_vnni\n"
PI = "processor\t: 0\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd asimddp\n"


@pytest.mark.parametrize(
    ("machine", "info", "target"),
    [
        ("x86_64", INTEL, "vnni"),
        ("x86_64", ALDER_LAKE, "vnni"),
        ("x86_64", OLD, "avx2"),
        ("AMD64", "", "avx2"),
        ("x86_64", "flags\t\t: not_avx512_vnni_at_all\n", "avx2"),
        ("aarch64", PI, "arm64"),
        ("arm64", "", "arm64"),
        ("ARM64", "", "arm64"),
        ("", "", "avx2"),
    ],
    ids=["AVX512", "AVX-VNNI", "AVX2", "Windows", "similar flag", "Linux on Arm", "macOS", "Windows on Arm", "nothing"],
)  # fmt: skip
def test_target_of_a_machine(machine: str, info: str, target: str) -> None:
    """The target is VNNI if the flags name it, and the safe AVX2 if nothing is known about an x86-64 processor."""
    assert target_of(machine, info) == target


@pytest.mark.parametrize(
    ("target", "runs"),
    [("vnni", {"vnni"}), ("avx2", {"vnni", "avx2"}), ("arm64", {"arm64"}), ("quantum", set())],
)
def test_processors_a_target_runs_on(target: str, runs: set[str]) -> None:
    """Weights of 7 bits are correct on every x86-64 processor, weights of 8 bits only where nothing saturates."""
    assert {best for best in TARGETS if runs_on(target, best)} == runs


def test_bundle_made_here_runs_here() -> None:
    """The detected target is a known one, and this processor runs it."""
    assert detect_target() in TARGETS
    assert runs_here(detect_target())
    assert not runs_here("quantum")


def test_name_of_the_processor() -> None:
    """The name is the one that the system lists. Without one, another name of the machine is used."""
    assert model_name(INTEL) == "Intel(R) Xeon(R) Platinum 8488C"
    assert model_name(PI) == model_name("")
