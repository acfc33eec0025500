"""Tracing changes the model only while it lasts, and a RoPE that is not understood is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from midfill.common.errors import ExportError
from midfill_export.graph.to_onnx import fused_operators, read_rotaries

IDS = torch.tensor([[5, 60, 81, 200, 7]])


def test_model_is_restored_after_tracing(checkpoint: Path) -> None:
    """The fused operators compute nothing in torch; afterwards the model computes what it did before."""
    model = AutoModelForCausalLM.from_pretrained(checkpoint).eval()
    with torch.inference_mode():
        before = model(IDS).logits.numpy()
        with fused_operators(model):
            during = model(IDS, attention_mask=torch.ones_like(IDS)).logits.numpy()
        after = model(IDS).logits.numpy()
    assert np.abs(during - before).max() > 0.1
    assert np.array_equal(after, before)


def test_rope_is_read_for_each_layer(checkpoint: Path) -> None:
    """Its frequencies fall from one radian per position."""
    rotaries = read_rotaries(AutoModelForCausalLM.from_pretrained(checkpoint), 64)
    assert len(rotaries) == 2
    assert rotaries[0].positions == 64
    assert rotaries[0].frequencies[0] == 1
    assert (np.diff(rotaries[0].frequencies) < 0).all()


def test_unknown_rope_is_refused(checkpoint: Path) -> None:
    """An embedding whose cosines do not follow from its frequencies is named."""
    model = AutoModelForCausalLM.from_pretrained(checkpoint)
    embedding = model.model.rotary_emb
    embedding.attention_scaling = 1.0
    plain = type(embedding).forward
    embedding.forward = lambda hidden, positions: plain(embedding, hidden, positions * 2)
    with pytest.raises(ExportError, match=r"does not know the rotary embedding Qwen2RotaryEmbedding"):
        read_rotaries(model, 64)
