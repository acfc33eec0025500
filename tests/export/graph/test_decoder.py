"""The graph that is written from a GGUF computes what the family's checkpoint does in torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from export.conftest import make_checkpoint
from export.family_gguf import write_family_gguf
from export.loaders.test_families import FAMILIES, IDS
from midfill.common.errors import ExportError, SourceError
from midfill_export.build import verify
from midfill_export.graph.decoder import decoder_graph
from midfill_export.loaders.gguf_file import GgufFile, open_gguf
from midfill_export.quantization.rotate import can_rotate

CLOSE = 2e-4
ROTATED = ("llama", "qwen2", "mistral", "granite")
BIASES = {
    "llama with biases, as Granite Code": (
        "llama",
        {"num_key_value_heads": 1, "attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True},
    )
}


@pytest.mark.parametrize("name", [*FAMILIES, *BIASES])
def test_logits_are_those_of_torch(name: str, tmp_path: Path) -> None:
    """For every family, in sizes that the file alone tells; it is rotated where that is sound."""
    model_type, options = {**FAMILIES, **BIASES}[name]
    make_checkpoint(tmp_path, model_type, **options)
    gguf = open_gguf(write_family_gguf(tmp_path, tmp_path / "tiny.gguf"))
    with torch.inference_mode():
        model = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
        expected = model(torch.tensor([IDS])).logits[0].numpy()
    graph = decoder_graph(gguf)
    assert can_rotate(graph.graph) == (model_type in ROTATED and name not in BIASES)
    (given,) = verify.float_logits(graph, [verify.Sample(IDS[:1], [*IDS[1:], 0])])
    assert np.abs(given - expected).max() < CLOSE


@pytest.fixture
def whole(gguf_file: Path) -> GgufFile:
    """Open the tiny Qwen2."""
    return open_gguf(gguf_file)


UP = "blk.1.ffn_up.weight"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"general.architecture": "rwkv7"}, r"has the architecture 'rwkv7', which Midfill does not know"),
        ({"qwen2.expert_count": 8}, r"is a mixture of experts"),
        ({"qwen2.rope.scaling.type": "yarn"}, r"stretches its context by 'yarn'"),
        ({"qwen2.attention.head_count_kv": 4}, r"has no blk\.0\.attn_k\.weight for \(64, 64\)"),
        ({"qwen2.block_count": 3}, r"has no blk\.2\.attn_norm\.weight"),
        ({"qwen2.block_count": 1}, r"has tensors that its architecture does not have here \(blk\.1\."),
    ],
)
def test_what_is_another_model_is_refused(changes: dict[str, object], words: str, whole: GgufFile) -> None:
    """In one line, before any weight is read."""
    with pytest.raises(ExportError, match=words) as refusal:
        decoder_graph(replace(whole, fields={**whole.fields, **changes}))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"qwen2.embedding_length": None},
        {"qwen2.block_count": 1 << 30},
        {"qwen2.attention.head_count": 1 << 30},
        {"qwen2.attention.key_length": 1 << 30},
        {"qwen2.attention.head_count_kv": 0},
        {"qwen2.attention.head_count_kv": 3},
        {"qwen2.attention.sliding_window_pattern": 0},
        {"qwen2.rope.dimension_count": 17},
        {"qwen2.rope.dimension_count": 1 << 30},
        {"qwen2.attention.layer_norm_rms_epsilon": float("nan")},
        {"qwen2.rope.scaling.factor": 0.0},
        {"qwen2.rope.freq_base": "many"},
    ],
)
def test_numbers_that_no_model_has_are_refused(changes: dict[str, object], whole: GgufFile) -> None:
    """The file is damaged."""
    with pytest.raises(SourceError):
        decoder_graph(replace(whole, fields={**whole.fields, **changes}))


def test_tensors_of_another_size_are_refused(whole: GgufFile) -> None:
    """So are missing ones; the line names one."""
    smaller = replace(whole, tensors={**whole.tensors, UP: replace(whole.tensors[UP], shape=(9, 64))})
    with pytest.raises(ExportError, match=r"has no blk\.1\.ffn_gate\.weight for \(9, 64\)"):
        decoder_graph(smaller)
    lacking = {name: tensor for name, tensor in whole.tensors.items() if name != UP}
    with pytest.raises(ExportError, match=rf"has no {UP}"):
        decoder_graph(replace(whole, tensors=lacking))


def test_context_is_bounded(whole: GgufFile) -> None:
    """A file that claims a context of a billion tokens gets no tables of that length."""
    graph = decoder_graph(replace(whole, fields={**whole.fields, "qwen2.context_length": 1_000_000_000})).graph
    assert graph.initializers["rotary.cos"].shape == (1 << 17, 8)
