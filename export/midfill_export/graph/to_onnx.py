"""Trace a torch model to ONNX through optimum, with onnxruntime's fused attention instead of the traced one.

The plain export concatenates its KV cache at every step and slows down with the context. Here the attention of
any transformers model that goes through ``AttentionInterface`` is traced as one ``com.microsoft``
``GroupQueryAttention`` node. Its past and present can share a buffer, and it applies RoPE itself.

:func:`fused_operators` replaces five things while the model is traced:

* an attention function that emits the fused operator,
* a mask function that returns the 2-D padding mask (the operator is causal by itself),
* ``Cache.update``, which returns only the new keys and values and keeps the past ones,
* ``apply_rotary_pos_emb``, which becomes the identity because the operator applies RoPE,
* RMSNorm modules, which emit one ``midfill::RMSNorm`` node that :mod:`midfill_export.graph.optimize` replaces.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from optimum.exporters.onnx import export
from optimum.exporters.tasks import TasksManager
from torch.onnx import symbolic_helper
from transformers import AttentionInterface, PreTrainedModel
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer
from transformers.masking_utils import AttentionMaskInterface

from midfill.common.errors import ExportError
from midfill_export.graph.packed_attention import Rotary
from midfill_export.loaders.families import decoder_of, split_attention

OPSET = 18
ATTENTION = "midfill_fused"
ROTARY_LIMIT = 1e-5
"""Largest difference that a cosine may have from the model's own; measured: 1e-7."""

_library = torch.library.Library("midfill", "DEF")
_library.define(
    "gqa(Tensor query, Tensor key, Tensor value, Tensor past_key, Tensor past_value, Tensor seqlens_k,"
    " Tensor total_length, int num_heads, int kv_num_heads, float scale, int window) -> (Tensor, Tensor, Tensor)"
)
_library.define("rms_norm(Tensor hidden, Tensor weight, float epsilon) -> Tensor")


def export_onnx(model: PreTrainedModel, graph: Path, context_length: int) -> list[Rotary]:
    """Trace ``model`` in FP32 into the file ``graph``, its weights beside it.

    Returns:
        The RoPE of each layer. It is not traced: :mod:`midfill_export.graph.optimize` adds its tables to the operator.

    Raises:
        ExportError: the architecture has no attention interface, or no rotary embedding of a known shape.
    """
    rotaries = read_rotaries(model, context_length)
    make_config = TasksManager.get_exporter_config_constructor(
        "onnx", model=model, task="text-generation", library_name="transformers"
    )
    config = make_config(model.config, use_past=True, use_past_in_inputs=True)
    with fused_operators(model), _quiet(), torch.inference_mode():
        export(
            model,
            config,
            graph,
            opset=OPSET,
            do_constant_folding=False,
            disable_dynamic_axes_fix=True,  # it would run the graph with a batch of 2, and the operator allows only 1
        )
    return rotaries


def read_rotaries(model: PreTrainedModel, positions: int) -> list[Rotary]:
    """Read the RoPE of each layer from the model's own rotary embeddings, so that every RoPE scaling is included.

    Raises:
        ExportError: there is no rotary embedding, or its cosines differ from those computed from what was read.
    """
    decoder = decoder_of(model)
    whole = _read_rotary(decoder.rotary_emb, positions)
    local = getattr(decoder, "rotary_emb_local", None)  # Gemma 3's layers with a sliding window have their own RoPE
    windowed = _read_rotary(local, positions) if local is not None else whole
    kinds = getattr(model.config, "layer_types", None) or ["full_attention"] * model.config.num_hidden_layers
    return [windowed if kind == "sliding_attention" else whole for kind in kinds]


def _read_rotary(embedding: Any, positions: int) -> Rotary:
    with torch.inference_mode():  # first, because some change their frequencies with the number of positions
        expected, _ = embedding(torch.zeros(1, 1, 1), torch.arange(positions)[None])  # (1, positions, rotary_dim)
    frequencies = embedding.inv_freq.float().numpy().copy()
    rotary = Rotary(frequencies, float(getattr(embedding, "attention_scaling", 1)), positions)
    cos, _ = rotary.tables()
    if np.abs(expected[0, :, : rotary.pairs].numpy() - cos[:, : rotary.pairs]).max() > ROTARY_LIMIT:
        raise ExportError(f"Midfill does not know the rotary embedding {type(embedding).__name__}: not exported.")
    return rotary


@contextlib.contextmanager
def fused_operators(model: PreTrainedModel) -> Iterator[None]:
    """Replace the model's attention and norms by fused operators while it is traced; restore them afterwards."""
    past: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
    caches: list[Cache] = []
    plain_update = Cache.update

    def update(
        self: Cache, key: torch.Tensor, value: torch.Tensor, layer: int, kwargs: dict[str, Any] | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if kwargs is None:  # optimum rebuilds its cache object through this method: that call stays as it is
            updated: tuple[torch.Tensor, torch.Tensor] = plain_update(self, key, value, layer, kwargs)
            return updated
        while len(self.layers) <= layer:
            self.layers.append(DynamicLayer())
        slot = self.layers[layer]
        if getattr(slot, "keys", None) is None:
            slot.lazy_initialization(key)
            slot.keys = key.new_zeros(key.shape[0], key.shape[1], 0, key.shape[3])
            slot.values = slot.keys.clone()
        caches[:] = [self]
        past[layer] = (slot.keys, slot.values)
        return key, value

    def attend(
        module: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        mask: torch.Tensor,
        scaling: float | None = None,
        sliding_window: int | None = None,
        **_: Any,
    ) -> tuple[torch.Tensor, None]:
        batch, heads, length, width = query.shape
        layer = module.layer_idx
        seqlens_k = (mask.to(torch.int32).sum(1) - 1).to(torch.int32)
        total = torch._shape_as_tensor(mask)[1].to(torch.int32)
        out, present_key, present_value = torch.ops.midfill.gqa(
            _rows(query),
            _rows(key),
            _rows(value),
            *past[layer],
            seqlens_k,
            total,
            heads,
            key.shape[1],
            float(scaling if scaling is not None else width**-0.5),
            sliding_window or -1,
        )
        slot = caches[0].layers[layer]
        slot.keys, slot.values = present_key, present_value
        return out.view(batch, length, heads, width), None

    modeling: Any = importlib.import_module(type(model).__module__)
    plain_rope = getattr(modeling, "apply_rotary_pos_emb", None)
    if plain_rope is None:
        raise ExportError(f"{type(model).__name__} has no attention that Midfill can replace: it cannot be exported.")
    AttentionInterface.register(ATTENTION, attend)
    AttentionMaskInterface.register(ATTENTION, _padding_mask)
    Cache.update = update
    DynamicCache.update = update
    plain_attention = model.config._attn_implementation
    model.set_attn_implementation(ATTENTION)
    norms = [module for module in model.modules() if type(module).__name__.endswith("RMSNorm")]
    for norm in norms:
        norm.forward = _fused_norm(norm)
    modeling.apply_rotary_pos_emb = lambda query, key, *_args, **_kwargs: (query, key)
    try:
        with split_attention(model, attend):
            yield
    finally:
        Cache.update = plain_update
        del DynamicCache.update
        modeling.apply_rotary_pos_emb = plain_rope
        model.set_attn_implementation(plain_attention)
        for norm in norms:
            del norm.forward


def _rows(heads: torch.Tensor) -> torch.Tensor:
    """(B, n, S, D) -> (B, S, n * D)."""
    return heads.transpose(1, 2).reshape(heads.shape[0], heads.shape[2], -1)


def _padding_mask(*_args: Any, attention_mask: torch.Tensor | None = None, **_: Any) -> torch.Tensor | None:
    return attention_mask


def _fused_norm(module: Any) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return a forward method that is traced as one node; Gemma adds 1 to its norms' weights."""
    weight = (1 + module.weight).detach() if type(module).__name__.startswith("Gemma") else module.weight
    epsilon = getattr(module, "variance_epsilon", None) or module.eps

    def forward(hidden: torch.Tensor) -> torch.Tensor:
        normed: torch.Tensor = torch.ops.midfill.rms_norm(hidden, weight, float(epsilon))
        return normed

    return forward


def _gqa_shapes(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    past_key: torch.Tensor,
    past_value: torch.Tensor,
    _seqlens_k: torch.Tensor,
    _total: torch.Tensor,
    num_heads: int,
    kv_num_heads: int,
    _scale: float,
    _window: int,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return tensors of the right shapes while the model is traced; only onnxruntime computes the attention."""
    batch, length, width = query.shape[0], query.shape[1], query.shape[2] // num_heads

    def append(past: torch.Tensor, new: torch.Tensor) -> torch.Tensor:
        return torch.cat([past, new.view(batch, length, kv_num_heads, width).transpose(1, 2)], 2)

    return query.clone(), append(past_key, key), append(past_value, value)


def _gqa_symbol(g: Any, *args: Any) -> Any:
    *tensors, heads, kv_heads, scale, window = args
    query, _key, _value, past_key, past_value, *_lengths = tensors
    out, present_key, present_value = g.op(
        "com.microsoft::GroupQueryAttention",
        *tensors,
        num_heads_i=symbolic_helper._get_const(heads, "i", "num_heads"),
        kv_num_heads_i=symbolic_helper._get_const(kv_heads, "i", "kv_num_heads"),
        scale_f=symbolic_helper._get_const(scale, "f", "scale"),
        local_window_size_i=symbolic_helper._get_const(window, "i", "window"),
        do_rotary_i=0,
        outputs=3,
    )
    out.setType(query.type())
    present_key.setType(past_key.type().with_sizes([None] * 4))
    present_value.setType(past_value.type().with_sizes([None] * 4))
    return out, present_key, present_value


def _rms_norm_symbol(g: Any, hidden: Any, weight: Any, epsilon: Any) -> Any:
    normed = g.op("midfill::RMSNorm", hidden, weight, epsilon_f=symbolic_helper._get_const(epsilon, "f", "epsilon"))
    normed.setType(hidden.type())
    return normed


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the tracer's warnings that Python values become constants, which is intended."""
    loggers = [logging.getLogger(name) for name in ("optimum", "transformers", "torch.onnx")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


_library.impl("gqa", _gqa_shapes, "CPU")
_library.impl("rms_norm", lambda hidden, _weight, _epsilon: hidden.clone(), "CPU")
torch.onnx.register_custom_op_symbolic("midfill::gqa", _gqa_symbol, 14)
torch.onnx.register_custom_op_symbolic("midfill::rms_norm", _rms_norm_symbol, 14)
