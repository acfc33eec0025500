"""A graph run in pieces gives what it gives as a whole, to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest

from midfill_export.graph.decoder import decoder_graph
from midfill_export.loaders.gguf_file import open_gguf
from midfill_export.quantization import layerwise
from midfill_export.quantization.rotate import gated_products, norms
from midfill_export.weights.weights import Weights

PROMPTS = ([5, 60, 81, 200, 7, 33, 150], [90, 12, 260, 44, 71, 9], [1, 2])


@pytest.fixture
def model(weights: Weights, gguf_file: Path) -> ir.Model:
    """Return the tiny graph."""
    return decoder_graph(open_gguf(gguf_file))


def _shown(model: ir.Model) -> dict[tuple[int, str], np.ndarray]:
    outputs = [norm.outputs[0] for norm in norms(model.graph)]
    outputs += [value for down, _ in gated_products(model.graph) if (value := down.inputs[0]) is not None]
    outputs += [value for value in model.graph.outputs if value.name == "logits"]
    seen: dict[tuple[int, str], np.ndarray] = {}
    layerwise.run_in_pieces(
        model,
        outputs,
        [layerwise.prompt_feeds(model.graph, prompt, 2) for prompt in PROMPTS],
        lambda run, value, array: seen.update({(run, str(value.name)): array}),
    )
    return seen


def test_pieces_make_no_difference(
    model: ir.Model, weights: Weights, gguf_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut at every norm, in one, or by onnxruntime from a file: the logits are the same."""
    whole = _shown(model)
    monkeypatch.setattr(layerwise, "_MIN_PIECE_BYTES", 1)
    cut = _shown(decoder_graph(open_gguf(gguf_file)))
    assert whole.keys() == cut.keys()
    assert len(whole) == len(PROMPTS) * (5 + 2 + 1)
    assert all(np.array_equal(whole[key], cut[key]) for key in whole)
    again = decoder_graph(open_gguf(gguf_file))
    ir.save(again, tmp_path / "model.onnx")
    session = ort.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    for run, prompt in enumerate(PROMPTS):
        (expected,) = session.run(["logits"], layerwise.prompt_feeds(again.graph, prompt, 2))
        assert np.abs(whole[run, "logits"] - expected).max() < 1e-5
