"""The optimized graph computes what the checkpoint does: in a prefill, when tokens are appended, and after a trim."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
import torch
from transformers import AutoModelForCausalLM

from midfill.common.cancel import CancelFlag, Cancelled
from midfill.common.errors import ModelError
from midfill.inference.bundle import KvLayout
from midfill.inference.kv_cache import KvCache
from midfill.inference.onnx_model import OnnxModel
from midfill_export.graph.nodes import save_graph, tensor_of
from midfill_export.graph.optimize import optimize
from midfill_export.graph.to_onnx import export_onnx
from midfill_export.quantization.rotate import fold_norms, norms, rotate

KV = KvLayout(layers=2, heads=2, head_size=16)
IDS = [5, 60, 81, 200, 7, 33, 150, 90, 12, 260, 44, 71]
CLOSE = 2e-4


@pytest.fixture(scope="module")
def reference(checkpoint: Path) -> np.ndarray:
    """Logits (12, V) of the checkpoint in torch."""
    model = AutoModelForCausalLM.from_pretrained(checkpoint).eval()
    with torch.inference_mode():
        logits: np.ndarray = model(torch.tensor([IDS])).logits[0].numpy()
    return logits


@pytest.fixture(scope="module")
def float_graph(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trace and optimize the FP32 graph."""
    folder = tmp_path_factory.mktemp("float")
    (folder / "traced").mkdir()
    rotary = export_onnx(AutoModelForCausalLM.from_pretrained(checkpoint).eval(), folder / "traced" / "model.onnx", 512)
    save_graph(optimize(folder / "traced" / "model.onnx", rotary), folder / "model.onnx")
    return folder / "model.onnx"


@pytest.fixture(scope="module")
def model(float_graph: Path) -> OnnxModel:
    """Load the FP32 graph."""
    return OnnxModel(float_graph, KV, threads=1)


def test_prefill_matches(model: OnnxModel, reference: np.ndarray) -> None:
    """A whole prompt in one step gives the checkpoint's logits at every position."""
    logits = model.step(IDS, model.new_cache(32), len(IDS), CancelFlag())
    assert np.abs(logits - reference).max() < CLOSE


def test_append_matches(model: OnnxModel, reference: np.ndarray) -> None:
    """Tokens appended one by one and several at a time see the past in the cache."""
    cache = model.new_cache(32)
    model.step(IDS[:4], cache, 1, CancelFlag())
    one = model.step(IDS[4:5], cache, 1, CancelFlag())
    several = model.step(IDS[5:], cache, 7, CancelFlag())
    assert np.abs(one - reference[4]).max() < CLOSE
    assert np.abs(several - reference[5:]).max() < CLOSE


def test_trimmed_cache_matches(model: OnnxModel, reference: np.ndarray) -> None:
    """When other tokens are removed from the cache, the kept ones give the same results as before."""
    cache = model.new_cache(32)
    model.step([*IDS[:6], 300, 301, 302], cache, 1, CancelFlag())
    assert cache.reuse(IDS) == 6
    logits = model.step(IDS[6:], cache, 6, CancelFlag())
    assert np.abs(logits - reference[6:]).max() < CLOSE


def test_logit_rows_are_chosen_before_the_last_mlp(float_graph: Path) -> None:
    """The two inputs of the last MLP, the attention's output and the residual, have only the rows asked for."""
    [rows] = [value for value in ir.load(float_graph).graph.inputs if value.name == "logit_rows"]
    selected = [node.outputs[0] for node, _ in rows.uses()]
    read_by = sorted(node.op_type for value in selected for node, _ in value.uses())
    assert read_by == ["MatMul", "SkipSimplifiedLayerNormalization"]


def test_logit_rows_choose_positions(model: OnnxModel, reference: np.ndarray) -> None:
    """Only the last rows asked for come out."""
    logits = model.step(IDS, model.new_cache(32), 2, CancelFlag())
    assert logits.shape == (2, reference.shape[1])
    assert np.abs(logits - reference[-2:]).max() < CLOSE


def test_prefill_without_logits_fills_the_cache(model: OnnxModel, reference: np.ndarray) -> None:
    """A chunk before the last one asks for no logits, and later tokens see the same past."""
    cache = model.new_cache(32)
    assert model.step(IDS[:8], cache, 0, CancelFlag()).shape == (0, reference.shape[1])
    assert np.abs(model.step(IDS[8:], cache, 4, CancelFlag()) - reference[8:]).max() < CLOSE


def test_rotation_changes_nothing(float_graph: Path, reference: np.ndarray, tmp_path: Path) -> None:
    """Folded rotations leave the function the same and every rotated weight different."""
    rotated = ir.load(float_graph)
    fold_norms(rotated.graph)
    before = {name: tensor_of(value).numpy().copy() for name, value in rotated.graph.initializers.items()}
    seen = np.random.default_rng(3).standard_normal((200, 64)).astype(np.float32)
    rotate(rotated, {str(norm.outputs[0].name): seen.T @ seen for norm in norms(rotated.graph)}, block=16)
    save_graph(rotated, tmp_path / "model.onnx")
    logits = OnnxModel(tmp_path / "model.onnx", KV, threads=1).step(IDS, KvCacheOf(tmp_path), len(IDS), CancelFlag())
    assert np.abs(logits - reference).max() < 5 * CLOSE
    initializers = ir.load(tmp_path / "model.onnx").graph.initializers
    after = {name: tensor_of(value).numpy() for name, value in initializers.items()}
    moved = [name for name in before if before[name].ndim == 2 and np.abs(before[name] - after[name]).max() > 1e-3]
    assert len(moved) == 2 * 5 + 2  # qkv, o, gate, up, down a layer; embedding and head


def KvCacheOf(folder: Path) -> KvCache:  # noqa: N802
    """Return an empty cache for the graph in ``folder``."""
    return OnnxModel(folder / "model.onnx", KV, threads=1).new_cache(32)


def test_set_flag_stops_before_the_step(model: OnnxModel) -> None:
    """A step under a set flag raises Cancelled and leaves the cache as it was."""
    cache, flag = model.new_cache(32), CancelFlag()
    model.step(IDS[:4], cache, 1, CancelFlag())
    flag.set("superseded")
    with pytest.raises(Cancelled, match="superseded"):
        model.step(IDS[4:], cache, 1, flag)
    assert cache.tokens == IDS[:4]


def test_more_tokens_than_capacity_are_refused(model: OnnxModel) -> None:
    """A step that does not fit is a ModelError, before anything is computed."""
    cache = model.new_cache(8)
    with pytest.raises(ModelError, match="do not fit"):
        model.step(IDS, cache, 1, CancelFlag())
    assert len(cache) == 0
