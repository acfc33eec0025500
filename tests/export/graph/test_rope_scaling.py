"""Longer contexts than a model was trained for: the angles are those of the papers, and the manifest records them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from export.conftest import make_checkpoint
from midfill.common.cancel import CancelFlag
from midfill.common.errors import UsageError
from midfill.inference.bundle import load_bundle
from midfill.inference.onnx_model import OnnxModel
from midfill_export.build.bundle import build_bundle
from midfill_export.build.from_checkpoint import trace_checkpoint
from midfill_export.graph.rope_scaling import RopeScaling, parse_rope_scaling
from midfill_export.graph.to_onnx import read_rotaries
from midfill_export.loaders.checkpoint import open_checkpoint

TRAINED = 64
PAIRS = 8
BASE = 10_000.0
CLOSE = 2e-4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tiny Llama trained for a short context."""
    folder = tmp_path_factory.mktemp("short")
    make_checkpoint(folder, "llama", num_key_value_heads=2, max_position_embeddings=TRAINED, rope_theta=BASE)
    return folder


def frequencies(base: float) -> np.ndarray:
    """Return by how much each pair is turned for each position."""
    return base ** (-np.arange(PAIRS) / PAIRS)


@pytest.mark.parametrize(
    ("scaling", "expected"),
    [
        (RopeScaling(), frequencies(BASE)),
        (RopeScaling(32), frequencies(BASE)),
        (RopeScaling(256, "linear"), frequencies(BASE) / 4),
        (RopeScaling(256, "ntk"), frequencies(BASE * 4 ** (2 * PAIRS / (2 * PAIRS - 2)))),
        (RopeScaling(0, "base", 1e6), frequencies(1e6)),
        (RopeScaling(256, "base", 1e6), frequencies(1e6)),
    ],
    ids=["trained", "shorter", "linear", "ntk", "base", "base and context"],
)
def test_angles(folder: Path, scaling: RopeScaling, expected: np.ndarray) -> None:
    """Each method gives the frequencies of its paper, for the context asked for."""
    model = AutoModelForCausalLM.from_pretrained(folder)
    scaling.apply(model)
    rotary = read_rotaries(model, model.config.max_position_embeddings)[0]
    assert rotary.positions == (scaling.context or TRAINED)
    np.testing.assert_allclose(rotary.frequencies, expected, rtol=1e-5)


def test_yarn_leaves_fast_pairs_alone(folder: Path) -> None:
    """The fastest pair keeps its frequency, the slowest gets a quarter, and YaRN's temperature scales the tables."""
    model = AutoModelForCausalLM.from_pretrained(folder)
    changed = RopeScaling(256, "yarn").apply(model)
    rotary = read_rotaries(model, 256)[0]
    assert rotary.frequencies[0] == pytest.approx(1.0)
    assert rotary.frequencies[-1] == pytest.approx(frequencies(BASE)[-1] / 4, rel=1e-4)
    assert rotary.scaling == pytest.approx(0.1 * np.log(4) + 1, rel=1e-4)
    assert changed == {"context": 256, "trained": TRAINED, "method": "yarn", "factor": 4.0, "base": BASE}


def test_bundle_of_a_longer_context(folder: Path, tmp_path: Path) -> None:
    """Its graph computes what the scaled model does, beyond the trained length too; the manifest records the method."""
    lines: list[str] = []
    traced = trace_checkpoint(open_checkpoint(str(folder)), tmp_path, lines.append, RopeScaling(256, "yarn"))
    assert any("256 tokens by yarn (trained: 64); a KV cache of all of it takes" in line for line in lines)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    RopeScaling(256, "yarn").apply(model)
    ids = [5, 60, 81, 200, 7, 33, 150, 90, 12, 260] * 20
    with torch.inference_mode():
        expected = model(torch.tensor([ids])).logits[0].numpy()
    graph = OnnxModel(traced.path, traced.description.kv, threads=1)
    assert np.abs(graph.step(ids, graph.new_cache(256), len(ids), CancelFlag()) - expected).max() < CLOSE
    build_bundle(traced, tmp_path / "bundle")
    manifest = load_bundle(tmp_path / "bundle").manifest
    assert manifest.context_length == 256
    assert manifest.stretch["method"] == "yarn"


def test_longer_without_a_method_is_refused(folder: Path) -> None:
    """The message names the trained length and what to add."""
    with pytest.raises(UsageError, match=r"trained for 64 tokens: for 65, name a method \(for example --rope"):
        RopeScaling(65).apply(AutoModelForCausalLM.from_pretrained(folder))


@pytest.mark.parametrize("rope", ["", "longer", "base", "base=", "base=x", "base=1", "base=nan", "yarn=4", "YARN"])
def test_wrong_method(rope: str) -> None:
    """One line lists the methods."""
    with pytest.raises(UsageError, match="--rope must be linear, ntk, yarn or base=NUMBER"):
        parse_rope_scaling(None, rope)


def test_method_of_the_command_line() -> None:
    """The method, its number and the context length are parsed."""
    assert parse_rope_scaling(None, None) == RopeScaling()
    assert parse_rope_scaling(100_000, "yarn") == RopeScaling(100_000, "yarn")
    assert parse_rope_scaling(None, "base=1e6") == RopeScaling(0, "base", 1e6)
