"""Every family of models, from a tiny random checkpoint to a served bundle; no real weights are needed for that."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from export.conftest import make_checkpoint
from lengths import cases
from midfill.common.cancel import CancelFlag
from midfill.completion.engine import load_engine
from midfill.completion.types import Request
from midfill.inference.onnx_model import OnnxModel
from midfill.settings.schema import Settings
from midfill_export.build.bundle import build_bundle
from midfill_export.build.from_checkpoint import TracedModel, trace_checkpoint
from midfill_export.loaders.checkpoint import open_checkpoint
from midfill_export.quantization.rotate import can_rotate

IDS = [5, 60, 81, 200, 7, 33, 150, 90, 12, 260, 44, 71] * 4
CLOSE = 2e-4
WINDOW = 16
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {"num_key_value_heads": 2}),
    "llama without shared heads, as CodeLlama": ("llama", {"num_key_value_heads": 4, "rope_theta": 1e6}),
    "llama with linear RoPE scaling, as DeepSeek-Coder": (
        "llama",
        {"num_key_value_heads": 2, "rope_scaling": {"rope_type": "linear", "factor": 4.0}, "rope_theta": 1e5},
    ),
    "qwen2": ("qwen2", {"num_key_value_heads": 2}),
    "qwen3": ("qwen3", {"num_key_value_heads": 2, "head_dim": 16}),
    "mistral": ("mistral", {"num_key_value_heads": 2, "sliding_window": WINDOW}),
    "granite": (
        "granite",
        {
            "num_key_value_heads": 2,
            "residual_multiplier": 0.3,
            "embedding_multiplier": 12.0,
            "logits_scaling": 0.25,
            "attention_multiplier": 0.1,
        },
    ),
    "starcoder2": ("starcoder2", {"num_key_value_heads": 2, "sliding_window": None}),
    "stablelm, as Stable Code 3B": ("stablelm", {"num_key_value_heads": 4, "partial_rotary_factor": 0.25}),
    "stablelm with shared heads and biases": (
        "stablelm",
        {"num_key_value_heads": 2, "partial_rotary_factor": 0.5, "use_qkv_bias": True, "use_parallel_residual": True},
    ),
    "gpt_neox, as Stable Code Alpha": ("gpt_neox", {"rotary_pct": 0.25}),
    "gpt_neox without parallel residual": ("gpt_neox", {"rotary_pct": 1.0, "use_parallel_residual": False}),
    "gemma3": (
        "gemma3_text",
        {
            "num_key_value_heads": 1,
            "head_dim": 16,
            "query_pre_attn_scalar": 16,
            "sliding_window": WINDOW,
            "layer_types": ["sliding_attention", "full_attention"],
        },
    ),
}
ROTATED = ("llama", "qwen2", "mistral", "granite")
"""Families of which the residual stream can be rotated."""


USUAL = ("qwen2", "stablelm, as Stable Code 3B", "gemma3")
"""Families that the usual run has, of which no two are traced alike."""


class Family(NamedTuple):
    """A tiny checkpoint of a family on its way to a bundle."""

    model_type: str
    folder: Path
    traced: TracedModel
    reference: np.ndarray
    """Logits (S, V) of the checkpoint in torch."""


@pytest.fixture(scope="module", params=cases(FAMILIES, USUAL))
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Family:
    """Take each family to its lean FP32 graph."""
    folder = tmp_path_factory.mktemp("family")
    model_type, options = FAMILIES[request.param]
    make_checkpoint(folder, model_type, **options)
    traced = trace_checkpoint(open_checkpoint(str(folder)), folder, lambda _: None)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    with torch.inference_mode():
        return Family(model_type, folder, traced, model(torch.tensor([IDS])).logits[0].numpy())


def test_family_from_checkpoint_to_server(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its FP32 graph computes what the checkpoint does, is rotated where that is sound, and its bundle completes."""
    traced, reference = family.traced, family.reference
    model = OnnxModel(traced.path, traced.description.kv, threads=1)
    whole = model.step(IDS, model.new_cache(64), len(IDS), CancelFlag())
    assert np.abs(whole - reference).max() < CLOSE, "in a prefill"

    cache = model.new_cache(64)
    model.step(IDS[:30], cache, 1, CancelFlag())
    one = model.step(IDS[30:31], cache, 1, CancelFlag())
    several = model.step(IDS[31:], cache, len(IDS) - 31, CancelFlag())
    assert np.abs(one - reference[30]).max() < CLOSE, "when a token is appended"
    assert np.abs(several - reference[31:]).max() < CLOSE, "when several are"

    cache = model.new_cache(64)
    model.step([*IDS[:25], 300, 301, 302], cache, 1, CancelFlag())
    assert cache.reuse(IDS) == 25
    again = model.step(IDS[25:], cache, len(IDS) - 25, CancelFlag())
    assert np.abs(again - reference[25:]).max() < CLOSE, "after the cache was trimmed"
    del model

    assert can_rotate(traced.open_graph().graph) == (family.model_type in ROTATED)

    monkeypatch.setenv("MIDFILL_CACHE", str(family.folder / "cache"))
    manifest = build_bundle(traced, family.folder / "bundle")
    assert manifest.family == family.model_type
    assert manifest.verification.top1_agreement > 0.85
    engine = load_engine(Settings(bundle=family.folder / "bundle", max_tokens=8, deadline_ms=0))
    done = engine.complete(Request(text="def add(left, right):\n    return ", offset=33), CancelFlag())
    assert done.tokens > 0
    assert done.prompt_tokens > 5
