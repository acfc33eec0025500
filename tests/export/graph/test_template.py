"""A filled template is the graph it was made of; what does not fit a template is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest

from midfill.common.errors import ExportError
from midfill.inference.bundle import load_bundle
from midfill_export.graph import template
from midfill_export.graph.nodes import attention_nodes, tensor_of
from midfill_export.graph.optimize import optimize
from midfill_export.graph.packed_attention import Rotary
from midfill_export.graph.to_onnx import export_onnx
from midfill_export.loaders.checkpoint import open_checkpoint
from midfill_export.loaders.gguf_file import open_gguf
from midfill_export.weights.known_models import WEIGHTS, Weights


@pytest.fixture(scope="module")
def float_model(gguf_file: Path, tmp_path_factory: pytest.TempPathFactory) -> ir.Model:
    """Trace the GGUF's model and optimize it."""
    traced = tmp_path_factory.mktemp("traced") / "model.onnx"
    rotary = export_onnx(open_checkpoint(str(gguf_file)).load_model(), traced, 512)
    return optimize(traced, rotary)


def test_filled_template_is_the_original_graph(float_model: ir.Model, weights: Weights, gguf_file: Path) -> None:
    """The same nodes and inputs, and every initializer to the bit."""
    filled = template.fill(weights.template, open_gguf(gguf_file)).graph
    assert [(node.op_type, node.name) for node in filled] == [(node.op_type, node.name) for node in float_model.graph]
    assert [value.name for value in filled.inputs] == [value.name for value in float_model.graph.inputs]
    assert list(filled.initializers) == list(float_model.graph.initializers)
    for name, value in float_model.graph.initializers.items():
        assert np.array_equal(tensor_of(value).numpy(), tensor_of(filled.initializers[name]).numpy()), name


def test_template_has_no_weights(weights: Weights) -> None:
    """A template is small, and records its difference from the checkpoint."""
    assert weights.template.stat().st_size < 30_000
    assert 0 < template.difference_of(weights.template) < 1e-3


@pytest.mark.parametrize("pinned", WEIGHTS.values(), ids=lambda pinned: pinned.name)
def test_every_model_has_a_template(pinned: Weights) -> None:
    """Each model that can be pulled has its own template, whose inputs name the tensors of a GGUF."""
    model = ir.load(pinned.template)
    weights = [value for value in model.graph.inputs if "midfill.gguf" in value.metadata_props]
    assert len(weights) == 3 + 8 * len(attention_nodes(model.graph))  # embedding, last norm, lm_head
    assert pinned.template.stat().st_size < 200_000


def test_other_weights_are_refused(weights: Weights, gguf_file: Path) -> None:
    """The error names a tensor that is missing or of another size."""
    whole = open_gguf(gguf_file)
    name = "blk.1.ffn_up.weight"
    lacking = replace(whole, tensors={key: value for key, value in whole.tensors.items() if key != name})
    with pytest.raises(ExportError, match=rf"has no {name}"):
        template.fill(weights.template, lacking)
    smaller = replace(whole, tensors={**whole.tensors, name: replace(whole.tensors[name], shape=(9, 64))})
    with pytest.raises(ExportError, match=rf"has no {name} for \(64, 128\)"):
        template.fill(weights.template, smaller)


def test_vocabulary_is_the_files(weights: Weights, gguf_file: Path) -> None:
    """Rows of tokens may be more or fewer, if there are as many as the file has tokens."""
    whole = open_gguf(gguf_file)
    tokens = whole.fields["tokenizer.ggml.tokens"][:301]
    fewer = {
        name: replace(tensor, shape=(301, 64)) if name in ("token_embd.weight", "output.weight") else tensor
        for name, tensor in whole.tensors.items()
    }
    fields = {**whole.fields, "tokenizer.ggml.tokens": tokens}
    filled = template.fill(weights.template, replace(whole, fields=fields, tensors=fewer)).graph
    assert tensor_of(filled.initializers["model.embed_tokens.weight"]).numpy().shape == (301, 64)
    assert tensor_of(filled.initializers["lm_head.weight.T"]).numpy().shape == (64, 301)
    with pytest.raises(ExportError, match=r"has no token_embd\.weight for \(301, 64\)"):
        template.fill(weights.template, replace(whole, fields=fields))


def test_output_without_a_tensor_is_the_embedding(weights: Weights, gguf_file: Path) -> None:
    """So files are written whose model shares the two."""
    whole = open_gguf(gguf_file)
    tied = replace(whole, tensors={name: each for name, each in whole.tensors.items() if name != "output.weight"})
    filled = template.fill(weights.template, tied).graph
    embedding, output = (
        tensor_of(filled.initializers[name]).numpy() for name in ("model.embed_tokens.weight", "lm_head.weight.T")
    )
    assert np.array_equal(embedding, output.T)


def test_another_rope_is_refused(weights: Weights, gguf_file: Path) -> None:
    """A template has the base of its own model."""
    whole = open_gguf(gguf_file)
    other = replace(whole, fields={**whole.fields, "qwen2.rope.freq_base": 1e6})
    with pytest.raises(ExportError, match=r"the base of its RoPE is 1e\+06, not 10000\."):
        template.fill(weights.template, other)


def test_other_files_are_not_templates(gguf_file: Path, bundle_folder: Path, tmp_path: Path) -> None:
    """A missing file or an ordinary graph is refused."""
    for path in (tmp_path / "missing.onnx", load_bundle(bundle_folder).graph):
        with pytest.raises(ExportError, match="is not a template"):
            template.fill(path, open_gguf(gguf_file))


def test_weights_from_elsewhere_are_refused(float_model: ir.Model, gguf_file: Path) -> None:
    """A template can only be made if all weights are found in the GGUF."""
    whole = open_gguf(gguf_file)
    lacking = replace(whole, tensors={key: value for key, value in whole.tensors.items() if "ffn_up" not in key})
    rotary = Rotary(np.ones(8, np.float32), 1.0, 512)
    with pytest.raises(ExportError, match=r"up_proj.* is not made of tensors"):
        template.empty(float_model.clone(), rotary, lacking)
