"""What the system says of the processor."""

from __future__ import annotations

from midfill.inference.cpu import model_name

INTEL = """processor\t: 0
model name\t: Intel(R) Xeon(R) Platinum 8488C
flags\t\t: fpu vme sse4_2 avx avx2 avx512f avx512_vnni amx_int8

processor\t: 1
flags\t\t: fpu
"""
PI = "processor\t: 0\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd asimddp\n"


def test_name_of_the_processor() -> None:
    """The name is the one that the system lists. Without one, another name of the machine is used."""
    assert model_name(INTEL) == "Intel(R) Xeon(R) Platinum 8488C"
    assert model_name(PI) == model_name("")
