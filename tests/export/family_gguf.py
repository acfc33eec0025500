"""A tiny checkpoint of any family as a GGUF in F32, written as llama.cpp's converter writes the family's files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from gguf import MODEL_ARCH
from numpy.typing import NDArray
from safetensors.numpy import load_file

from export.conftest import CONTROL_TOKENS

ARCHITECTURES = {
    "llama": MODEL_ARCH.LLAMA,
    "mistral": MODEL_ARCH.LLAMA,
    "granite": MODEL_ARCH.GRANITE,
    "qwen2": MODEL_ARCH.QWEN2,
    "qwen3": MODEL_ARCH.QWEN3,
    "gemma3_text": MODEL_ARCH.GEMMA3,
    "stablelm": MODEL_ARCH.STABLELM,
    "starcoder2": MODEL_ARCH.STARCODER2,
    "gpt_neox": MODEL_ARCH.GPTNEOX,
}
"""The architecture in a GGUF, by transformers' name of the family."""
_PAIRED = ("llama", "granite")
"""Architectures whose heads have the numbers that are rotated together side by side."""
_FIELDS = {
    "num_hidden_layers": "block_count",
    "max_position_embeddings": "context_length",
    "hidden_size": "embedding_length",
    "intermediate_size": "feed_forward_length",
    "num_attention_heads": "attention.head_count",
    "num_key_value_heads": "attention.head_count_kv",
    "head_dim": "attention.key_length",
    "sliding_window": "attention.sliding_window",
    "rms_norm_eps": "attention.layer_norm_rms_epsilon",
    "layer_norm_eps": "attention.layer_norm_epsilon",
    "norm_epsilon": "attention.layer_norm_epsilon",
    "rope_theta": "rope.freq_base",
    "rotary_emb_base": "rope.freq_base",
    "rope_local_base_freq": "rope.freq_base_swa",
    "use_parallel_residual": "use_parallel_residual",
    "embedding_multiplier": "embedding_scale",
    "residual_multiplier": "residual_scale",
    "attention_multiplier": "attention.scale",
    "logits_scaling": "logit_scale",
}
"""The metadata's key by that of the checkpoint's configuration."""


def write_family_gguf(checkpoint: Path, path: Path) -> Path:
    """Write the model and the tokenizer of a checkpoint folder."""
    config = json.loads((checkpoint / "config.json").read_text())
    kind = ARCHITECTURES[config["model_type"]]
    name = gguf.MODEL_ARCH_NAMES[kind]
    writer = gguf.GGUFWriter(path, name)
    for key, value in _metadata(config):
        write = {bool: writer.add_bool, int: writer.add_uint32, float: writer.add_float32, str: writer.add_string}
        write[type(value)](f"{name}.{key}", value)
    _add_tokenizer(writer, checkpoint, config["eos_token_id"])
    names = gguf.get_tensor_name_map(kind, config["num_hidden_layers"])
    for key, tensor in load_file(checkpoint / "model.safetensors").items():
        array = _as_converted(key, tensor.astype(np.float32), name, config)
        writer.add_tensor(names.get_name(key, try_suffixes=(".weight", ".bias")), np.ascontiguousarray(array))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _metadata(config: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from ((key, config[name]) for name, key in _FIELDS.items() if config.get(name) is not None)
    part = config.get("partial_rotary_factor") or config.get("rotary_pct")
    if part:
        yield "rope.dimension_count", int(part * config["hidden_size"] // config["num_attention_heads"])
    scaling = config.get("rope_scaling")
    if scaling:
        yield "rope.scaling.type", scaling["rope_type"]
        yield "rope.scaling.factor", scaling["factor"]
    if config.get("layer_types") and config["model_type"] == "gemma3_text":
        yield "attention.sliding_window_pattern", len(config["layer_types"])


def _as_converted(key: str, array: NDArray[np.float32], name: str, config: dict[str, Any]) -> NDArray[np.float32]:
    if name == "gemma3" and key.endswith("norm.weight"):
        return array + 1
    if "query_key_value" in key:  # (heads, 3, head_size) -> (3, heads, head_size)
        split = array.reshape(config["num_attention_heads"], 3, -1, *array.shape[1:])
        array = split.swapaxes(0, 1).reshape(array.shape)
    if name in _PAIRED and ("q_proj" in key or "k_proj" in key):
        heads = config["num_attention_heads" if "q_proj" in key else "num_key_value_heads"]
        array = array.reshape(heads, 2, -1, *array.shape[1:]).swapaxes(1, 2).reshape(array.shape)
    return array


def _add_tokenizer(writer: gguf.GGUFWriter, checkpoint: Path, end: int) -> None:
    backend = json.loads((checkpoint / "tokenizer.json").read_text())
    vocabulary = sorted(backend["model"]["vocab"], key=backend["model"]["vocab"].get)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(vocabulary)
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    writer.add_token_types([control if token in CONTROL_TOKENS else normal for token in vocabulary])
    writer.add_token_merges([" ".join(merge) for merge in backend["model"]["merges"]])
    writer.add_eos_token_id(end)
