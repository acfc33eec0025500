"""The pinned weights."""

from __future__ import annotations

import pytest

from midfill.common.paths import bundles_dir
from midfill.settings.schema import Settings
from midfill_export.choice.choose import QUALITY_ORDER
from midfill_export.weights.known_models import WEIGHTS
from midfill_export.weights.weights import Weights, bundle_name, megabytes

IN_REGISTRIES = [weights for weights in WEIGHTS.values() if weights.package]


@pytest.mark.parametrize("weights", IN_REGISTRIES, ids=lambda weights: weights.name)
def test_parts_add_up(weights: Weights) -> None:
    """The pinned sizes of the parts add up to the whole."""
    assert sum(weights.size_of_part(part) for part in range(1, weights.parts + 1)) == weights.size


@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=lambda weights: weights.name)
def test_weights_are_pinned(weights: Weights) -> None:
    """The SHA-256 is whole, if there is one. What is run by default has one."""
    assert len(bytes.fromhex(weights.sha256)) in ({0, 32} if weights.name not in QUALITY_ORDER else {32})
    assert weights.origin.sha256 == weights.sha256


@pytest.mark.parametrize("name", ["sweep-0.5b", "sweep-1.5b"])
def test_models_for_edits_name_their_format(name: str) -> None:
    """Their bundle has the name that `pull` and the setting `nextEditModel` know; only the hub has them."""
    weights = WEIGHTS[name]
    assert (weights.edit_format, weights.bundle_folder, weights.package) == ("sweep", name, "")
    assert Settings(next_edit_model=name).next_edit_bundle == bundles_dir() / weights.bundle_folder


def test_size_that_nobody_published_is_not_shown() -> None:
    """The licence is."""
    assert str(WEIGHTS["sweep-0.5b"]) == "Sweep Next-Edit 0.5B, Apache-2.0"
    assert str(WEIGHTS["sweep-1.5b"]) == "Sweep Next-Edit 1.5B v2, Apache-2.0, 1537 MB"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("Qwen-0.5B-q4_k_m.gguf", "qwen-0.5b"),
        ("/models/tiny.Q8_0.gguf", "tiny"),
        ("tiny-F16.gguf", "tiny"),
        ("owner/Name-1B", "name-1b"),
    ],
)
def test_bundle_is_named_after_the_model(file: str, name: str) -> None:
    """The folder has the model's name, without its kind of quantization."""
    assert bundle_name(file) == name


def test_sizes_are_in_millions_of_bytes() -> None:
    """As downloads are advertised."""
    assert megabytes(491_400_064) == "491 MB"
