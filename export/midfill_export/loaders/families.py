"""Changes that some model families need before they can be traced with fused attention.

Most families use transformers' ``AttentionInterface`` with separate projections for query, key and value, and need no
change. The attention modules of the others are replaced by :class:`SplitAttention` while the model is traced:

* ``stablelm``, whose attention classes do not use the interface (transformers 4.57);
* ``gpt_neox``, which has one projection with the query, key and value of one head after the other.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from optimum.exporters.onnx.model_configs import COMMON_TEXT_GENERATION_TASKS, LlamaOnnxConfig
from optimum.exporters.tasks import TasksManager
from torch import nn
from transformers import PreTrainedModel

from midfill.common.errors import ExportError

Attend = Callable[..., tuple[torch.Tensor, None]]
"""(module, query, key, value, mask, scaling=...) -> output (B, S, n, D), the function ``AttentionInterface`` calls."""


@TasksManager.create_register("onnx")("starcoder2", *COMMON_TEXT_GENERATION_TASKS)
class StarCoder2OnnxConfig(LlamaOnnxConfig):  # type: ignore[misc]
    """The same inputs and outputs as Llama; optimum-onnx 0.1.0 has no configuration for StarCoder2."""


class SplitAttention(nn.Module):  # type: ignore[misc]
    """Attention with separate projections for query, key and value, as in the newer models of transformers."""

    def __init__(
        self,
        projections: tuple[nn.Linear, nn.Linear, nn.Linear],
        out: nn.Linear,
        layer: int,
        heads: int,
        attend: Attend,
    ) -> None:
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj = projections
        self.o_proj = out
        self.layer_idx = layer
        self.head_dim = projections[0].out_features // heads
        self._attend = attend

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        past_key_values: Any = None,
        layer_past: Any = None,
        **_: Any,
    ) -> tuple[torch.Tensor, None]:
        """(B, S, width) -> (B, S, width)."""
        rows = (*hidden_states.shape[:-1], -1, self.head_dim)
        query, key, value = (
            projection(hidden_states).view(rows).transpose(1, 2)
            for projection in (self.q_proj, self.k_proj, self.v_proj)
        )
        cache = past_key_values if past_key_values is not None else layer_past
        key, value = cache.update(key, value, self.layer_idx, {})
        out, _weights = self._attend(self, query, key, value, attention_mask, scaling=self.head_dim**-0.5)
        return self.o_proj(out.reshape(*hidden_states.shape[:-1], -1)), None


@contextlib.contextmanager
def split_attention(model: PreTrainedModel, attend: Attend) -> Iterator[None]:
    """Replace the attention modules of ``model`` if its family needs it; restore them afterwards."""
    kind = model.config.model_type
    if kind == "stablelm":
        name, replaced = "self_attn", _stablelm
    elif kind == "gpt_neox":
        name, replaced = "attention", _gpt_neox
    else:
        yield
        return
    decoder = decoder_of(model)
    layers = list(decoder.layers)
    before = [getattr(layer, name) for layer in layers]
    base: Any = type(decoder)
    plain_mask = getattr(base, "_update_causal_mask", None)
    if plain_mask is not None:  # models without the interface for attention have none for the mask either
        base._update_causal_mask = lambda _self, mask, *_args, **_kwargs: mask
    for number, (layer, attention) in enumerate(zip(layers, before, strict=True)):
        setattr(layer, name, replaced(attention, number, attend))
    try:
        yield
    finally:
        for layer, attention in zip(layers, before, strict=True):
            setattr(layer, name, attention)
        if plain_mask is not None:
            base._update_causal_mask = plain_mask


def decoder_of(model: PreTrainedModel) -> Any:
    """Return the module that has the layers and the rotary embedding.

    Raises:
        ExportError: there is no such module.
    """
    for part in model.modules():
        if hasattr(part, "layers") and hasattr(getattr(part, "rotary_emb", None), "inv_freq"):
            return part
    raise ExportError(f"{type(model).__name__} has no rotary embedding that Midfill can read: it cannot be exported.")


def _stablelm(attention: Any, layer: int, attend: Attend) -> SplitAttention:
    projections = (attention.q_proj, attention.k_proj, attention.v_proj)
    return SplitAttention(projections, attention.o_proj, layer, attention.num_heads, attend)


def _gpt_neox(attention: Any, layer: int, attend: Attend) -> SplitAttention:
    """Split the one projection, whose rows are (heads, 3, head_size), into three."""
    whole: nn.Linear = attention.query_key_value
    heads = attention.config.num_attention_heads

    def part(index: int) -> nn.Linear:
        linear = nn.Linear(whole.in_features, whole.out_features // 3, bias=whole.bias is not None)
        rows = whole.weight.view(heads, 3, -1, whole.in_features)[:, index]
        linear.weight = nn.Parameter(rows.reshape(-1, whole.in_features).clone(), requires_grad=False)
        if whole.bias is not None:
            bias = whole.bias.view(heads, 3, -1)[:, index]
            linear.bias = nn.Parameter(bias.reshape(-1).clone(), requires_grad=False)
        return linear

    return SplitAttention((part(0), part(1), part(2)), attention.dense, layer, heads, attend)
