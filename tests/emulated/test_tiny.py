"""One bundle of a tiny model is exact on every processor: with drafts, and however a prompt is split."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulated.machines import MACHINES, Machine

ARITHMETIC = {"haswell": ("saturating", 7), "arm64": ("exact", 8), "arm64-plain": ("exact", 8)}
TEXT = "def add(left, right):\n    return left + right\n\n\ndef add(left, right):\n    return"


@pytest.mark.parametrize("name", ARITHMETIC)
def test_tiny_model_is_exact(name: str, tiny_bundle: Path) -> None:
    """The arithmetic is found, no split changes a bit, and neither do drafts."""
    found = MACHINES[name].ask("emulated.exactness", tiny_bundle, TEXT)
    assert (found["arithmetic"], found["activation bits"]) == ARITHMETIC[name]
    assert found["differing"] == []
    assert found["with drafts"] == found["without"]


def test_version(machine: Machine) -> None:
    """The command line starts."""
    assert machine.run("-m", "midfill", "--version").startswith("midfill ")
