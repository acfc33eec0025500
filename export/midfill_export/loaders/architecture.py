"""What a GGUF says of its model's architecture: sizes, RoPE, and how a layer of its family is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from midfill.common.errors import ExportError, SourceError
from midfill.common.printable import printable
from midfill_export.loaders.gguf_file import GgufFile

MAX_CONTEXT = 1 << 17
"""Most tokens of a context: the tables of RoPE, and a KV cache, grow with them."""
_MOST = 1024
"""More layers, heads, or numbers of a head than any dense model has."""
_FREQUENCY_FACTORS = "rope_freqs.weight"


@dataclass(frozen=True, kw_only=True)
class Family:
    """How the layers of a family are built, where its files do not say so by their tensors."""

    norm: Literal["rms", "layer"] = "rms"
    activation: Literal["silu", "gelu", "tanh gelu"] = "silu"
    """Of the MLP."""
    has_paired_heads: bool = False
    """Whether the file has the two numbers of a head that are rotated together side by side. Otherwise they are half of
    the rotated numbers apart, as transformers and onnxruntime have them."""
    has_joint_projection: bool = False
    """Whether query, key and value are one tensor."""
    scales_embedding: bool = False
    """Whether the embedding is multiplied by the square root of the width."""
    window: int = 0
    """The attention's window, if the file names none; 0 for none."""
    windows_end_at: int = 1
    """Of so many layers, the last one has no window; 1 if no layer differs from the others."""


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "llama": Family(has_paired_heads=True),  # Mistral, too
        "granite": Family(has_paired_heads=True),
        "qwen2": Family(),
        "qwen3": Family(),
        "gemma3": Family(activation="tanh gelu", scales_embedding=True, windows_end_at=6),
        "stablelm": Family(norm="layer"),
        "starcoder2": Family(norm="layer", activation="tanh gelu", window=4096),
        "gptneox": Family(norm="layer", activation="gelu", has_joint_projection=True),
    }
)
"""The families by the name of the architecture in a GGUF."""


@dataclass(frozen=True, kw_only=True)
class Rope:
    """RoPE's frequencies."""

    frequencies: NDArray[np.float32]
    """Radians per position by which each pair of a head's numbers is rotated, (pairs,)."""


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """All that the graph of a decoder depends on, but for its weights."""

    name: str
    family: Family
    layers: int
    width: int
    heads: int
    kv_heads: int
    head_size: int
    context: int
    vocabulary: int
    """Number of tokens, which is that of rows of the embedding."""
    epsilon: float
    """Of the norms."""
    is_parallel: bool
    """Whether the MLP is beside the attention, not after it."""
    rope: Rope
    windowed_rope: Rope
    """Of the layers whose attention has a window."""
    windows: tuple[int, ...]
    """The window of each layer's attention; 0 for none."""
    attention_scale: float
    embedding_scale: float
    residual_scale: float
    logit_scale: float


def read_architecture(gguf: GgufFile) -> Architecture:
    """Read the architecture of a GGUF's model.

    Raises:
        ExportError: the architecture is unknown here, or has something that Midfill does not have.
        SourceError: a number is missing, or is none that a model can have.
    """
    name = gguf.text("general.architecture") or ""
    family = FAMILIES.get(name)
    if family is None:
        raise ExportError(
            f"{gguf.path.name} has the architecture '{printable(name[:40])}', which Midfill does not know: it knows"
            f" {', '.join(FAMILIES)}."
        )
    fields = _Fields(gguf, name)
    if fields.real("expert_count", 0.0):
        raise ExportError(f"{gguf.path.name} is a mixture of experts, which Midfill cannot run: use a dense model.")
    layers, width, heads = (fields.number(key) for key in ("block_count", "embedding_length", "attention.head_count"))
    head_size = int(fields.real("attention.key_length", width // heads))
    kv_heads = int(fields.real("attention.head_count_kv", heads))
    window = int(fields.real("attention.sliding_window", family.window))
    period = int(fields.real("attention.sliding_window_pattern", family.windows_end_at))
    if max(layers, heads, head_size, period) > _MOST or not (kv_heads and period) or heads % kv_heads:
        raise SourceError(
            f"{gguf.path.name} has {layers} layers, {heads} heads of {head_size} and {kv_heads} KV heads, as no model"
            " has them: get it again."
        )
    windows = tuple(window if period == 1 or (layer + 1) % period else 0 for layer in range(layers))
    rotated = int(fields.real("rope.dimension_count", head_size))
    if not 0 < rotated <= head_size or rotated % 2 or (family.has_paired_heads and rotated != head_size):
        raise SourceError(f"{gguf.path.name} rotates {rotated} of the {head_size} numbers of a head: get it again.")
    rope = _rope(gguf, fields, rotated)
    own = fields.real("rope.freq_base_swa", 10_000.0)
    return Architecture(
        name=name,
        family=family,
        layers=layers,
        width=width,
        heads=heads,
        kv_heads=kv_heads,
        head_size=head_size,
        context=min(fields.number("context_length"), MAX_CONTEXT),
        vocabulary=len(gguf.texts("tokenizer.ggml.tokens")),
        epsilon=fields.real(f"attention.layer_norm_{'rms_' if family.norm == 'rms' else ''}epsilon", 1e-5),
        is_parallel=bool(fields.real("use_parallel_residual", 0.0)),
        rope=rope,
        windowed_rope=Rope(frequencies=_frequencies(own, rotated)) if period > 1 else rope,
        windows=windows,
        attention_scale=fields.real("attention.scale", head_size**-0.5),
        embedding_scale=fields.real("embedding_scale", width**0.5 if family.scales_embedding else 1.0),
        residual_scale=fields.real("residual_scale", 1.0),
        logit_scale=fields.real("logit_scale", 1.0),
    )


class _Fields:
    """The metadata of one architecture."""

    def __init__(self, gguf: GgufFile, name: str) -> None:
        self._gguf = gguf
        self._name = name

    def number(self, key: str) -> int:
        return self._gguf.number(f"{self._name}.{key}")

    def text(self, key: str) -> str:
        return self._gguf.text(f"{self._name}.{key}") or ""

    def real(self, key: str, default: float) -> float:
        """Return a number that is 0 or more; ``default`` if there is none."""
        value = self._gguf.fields.get(f"{self._name}.{key}", default)
        if not isinstance(value, int | float) or not 0 <= value < 1 << 31:
            raise SourceError(f"{self._gguf.path.name} has no usable {self._name}.{key} in its metadata: get it again.")
        return value


def _rope(gguf: GgufFile, fields: _Fields, rotated: int) -> Rope:
    """Read RoPE with its scaling.

    Raises:
        ExportError: the scaling is of a kind that depends on the length of the text.
    """
    frequencies = _frequencies(fields.real("rope.freq_base", 10_000.0), rotated)
    scaling = fields.text("rope.scaling.type")
    if scaling not in ("", "none", "linear"):
        raise ExportError(
            f"{gguf.path.name} stretches its context by '{printable(scaling[:20])}', which `pull` cannot do: use"
            " `midfill export`."
        )
    # Files of 2023 have the other key.
    factor = fields.real("rope.scaling.factor", fields.real("rope.scale_linear", 1.0)) if scaling != "none" else 1.0
    if factor <= 0:
        raise SourceError(f"{gguf.path.name} divides its positions by {factor:g}: get it again.")
    frequencies = frequencies / np.float32(factor)
    if _FREQUENCY_FACTORS in gguf.tensors:
        factors = gguf.tensors[_FREQUENCY_FACTORS]
        if factors.shape != frequencies.shape:
            raise SourceError(f"{gguf.path.name} has a {_FREQUENCY_FACTORS} of another size: get it again.")
        frequencies = frequencies / factors.read_rows(0, 1)[0]
    return Rope(frequencies=frequencies)


def _frequencies(base: float, rotated: int) -> NDArray[np.float32]:
    """Return RoPE's frequencies as torch computes them, the power rounded to FP32 before its reciprocal."""
    exponents = (np.arange(0, rotated, 2, dtype=np.float32) / np.float32(rotated)).astype(np.float64)
    frequencies: NDArray[np.float32] = np.float32(1) / np.power(max(base, 1.0), exponents).astype(np.float32)
    return frequencies
