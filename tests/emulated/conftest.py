"""The emulated processors, which `nox -s emulated` has installed, and a bundle that is made once for all of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from emulated.machines import MACHINES, Machine
from export.conftest import make_checkpoint
from midfill.inference.onnx_model import LONG_PAST
from midfill_export.build.from_checkpoint import bundle_from_checkpoint

if "MIDFILL_EMULATED" not in os.environ:  # the plain test run installs no processors
    collect_ignore = ["test_tiny.py", "test_real.py"]


@pytest.fixture(params=MACHINES)
def machine(request: pytest.FixtureRequest) -> Machine:
    """Return each processor in turn."""
    return MACHINES[request.param]


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a bundle of a tiny model on this machine. Its context has room for a long past."""
    folder = tmp_path_factory.mktemp("emulated")
    make_checkpoint(folder, "qwen2", num_key_value_heads=2, max_position_embeddings=2 * LONG_PAST)
    bundle_from_checkpoint(str(folder), folder / "bundle")
    return folder / "bundle"
