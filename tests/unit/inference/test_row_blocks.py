"""Which machine needs whole blocks of rows."""

from __future__ import annotations

import pytest

from midfill.inference.row_blocks import round_up, row_block


@pytest.mark.parametrize(
    ("machine", "block"),
    [("x86_64", 1), ("AMD64", 1), ("aarch64", 8), ("arm64", 8), ("ARM64", 8), ("riscv64", 8), ("", row_block())],
    ids=["Linux", "Windows", "Linux on Arm", "macOS", "Windows on Arm", "unknown", "this machine"],
)
def test_block_of_a_machine(machine: str, block: int) -> None:
    """Only x86-64 does without blocks. What is unknown gets them."""
    assert row_block(machine) == block


@pytest.mark.parametrize(("count", "rounded"), [(0, 0), (1, 8), (8, 8), (9, 16)])
def test_round_up(count: int, rounded: int) -> None:
    """A whole number of blocks stays as it is."""
    assert round_up(count, 8) == rounded
