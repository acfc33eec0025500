"""The graph in 4 bits that drafts: close to the model, in half of the bytes, with the model's own caches."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from export.quantization.graphs import quantized_product, run
from midfill.common.cancel import CancelFlag
from midfill.inference.bundle import DRAFT_GRAPH, GRAPH, load_bundle
from midfill.inference.onnx_model import OnnxModel
from midfill_export.quantization.draft_graph import turn_into_draft, write_draft_graph
from midfill_export.quantization.quantize import Recipe

RANDOM = np.random.default_rng(7)
IDS = [7, 30, 61, 9, 12, 40, 77, 15]


def test_product_in_four_bits_is_close() -> None:
    """The scale of a row and that of a column are those of the product in 8 bits."""
    weight = RANDOM.standard_normal((256, 32)).astype(np.float32)
    hidden = 100 * RANDOM.standard_normal((1, 3, 256)).astype(np.float32)
    model = quantized_product(weight, Recipe(shortlist=0))
    model.graph.outputs[0].name = "logits"
    turn_into_draft(model)
    model.graph.outputs[0].name = "product"
    assert [node.op_type for node in model.graph if "MatMul" in node.op_type] == ["MatMulNBits"]
    exact = hidden @ weight
    assert np.abs(run(model, hidden) - exact).mean() < 0.15 * np.abs(exact).mean()


def test_model_and_draft_share_a_cache(bundle_folder: Path, tmp_path: Path) -> None:
    """Logits are close to the model's after the same tokens, and a draft costs the model not a bit of its own."""
    bundle = load_bundle(bundle_folder)
    folder = tmp_path / bundle.manifest.folder
    shutil.copytree(bundle.folder, folder)
    write_draft_graph(folder)
    kv, flag = bundle.manifest.kv, CancelFlag()
    model, drafting = OnnxModel(folder / GRAPH, kv), OnnxModel(folder / DRAFT_GRAPH, kv, exact=False)
    cache = model.new_cache(32)
    model.step(IDS, cache, 1, flag)
    drafted = drafting.step([5], cache, 1, flag)
    cache.truncate(len(IDS))
    checked = model.step([5, 6], cache, 2, flag)
    assert np.corrcoef(drafted[0], checked[0])[0, 1] > 0.9
    alone = model.new_cache(32)
    model.step(IDS, alone, 1, flag)
    assert np.array_equal(model.step([5, 6], alone, 2, flag), checked)
    sizes = [(folder / f"{name}.data").stat().st_size for name in (GRAPH, DRAFT_GRAPH)]
    assert sizes[1] < sizes[0]
