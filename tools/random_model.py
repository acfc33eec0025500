"""Write a random GGUF of a real model's dimensions: speed and memory do not depend on the values.

    python tools/random_model.py stable-code-3b.gguf [NAME]

The tensors are Q8_0 or Q4_0 blocks of random integers with scales at which activations neither vanish nor grow. They
are written a few megabytes at a time.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, TokenType

_ROWS = 1024
"""Rows of a tensor that are made at once."""


@dataclass(frozen=True, kw_only=True)
class Dimensions:
    """The dimensions of a model, and what its family has."""

    architecture: str
    layers: int
    width: int
    neurons: int
    heads: int
    kv_heads: int
    rotated: int
    base: float
    context: int
    vocabulary: int
    has_layer_norm: bool = False
    has_output: bool = True
    kind: GGMLQuantizationType = GGMLQuantizationType.Q8_0


MODELS = {
    "stable-code-3b": Dimensions(
        architecture="stablelm",
        layers=32,
        width=2560,
        neurons=6912,
        heads=32,
        kv_heads=32,
        rotated=20,
        base=1e6,
        context=16_384,
        vocabulary=50_304,
        has_layer_norm=True,
    ),
    "codellama-7b": Dimensions(
        architecture="llama",
        layers=32,
        width=4096,
        neurons=11_008,
        heads=32,
        kv_heads=32,
        rotated=128,
        base=1e6,
        context=16_384,
        vocabulary=32_016,
        kind=GGMLQuantizationType.Q4_0,
    ),
}
FIM = ("<|endoftext|>", "<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<fim_pad>")


def write(path: Path, name: str) -> None:
    """Write the file of a model."""
    model = MODELS[name]
    writer = gguf.GGUFWriter(path, model.architecture)
    writer.add_name(f"random {name}")
    writer.add_license("mit")
    writer.add_block_count(model.layers)
    writer.add_context_length(model.context)
    writer.add_embedding_length(model.width)
    writer.add_feed_forward_length(model.neurons)
    writer.add_head_count(model.heads)
    writer.add_head_count_kv(model.kv_heads)
    writer.add_rope_dimension_count(model.rotated)
    writer.add_rope_freq_base(model.base)
    writer.add_layer_norm_eps(1e-5)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_parallel_residual(False)
    _add_tokenizer(writer, model.vocabulary)
    tensors = list(_tensors(model))
    for tensor, shape in tensors:
        kind = _kind(model, shape)
        block, size = GGML_QUANT_SIZES[kind]
        stored = int(np.prod(shape)) // block * size
        writer.add_tensor_info(tensor, shape, np.dtype(np.float32), stored, kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    (file,) = writer.fout
    random = np.random.default_rng(0)
    for _tensor, shape in tensors:
        writer.write_padding(file, file.tell())
        for part in _values(random, shape, _kind(model, shape)):
            part.tofile(file)
        writer.write_padding(file, file.tell())
    writer.close()


def _kind(model: Dimensions, shape: tuple[int, ...]) -> GGMLQuantizationType:
    return model.kind if len(shape) > 1 else GGMLQuantizationType.F32


def _tensors(model: Dimensions) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the names and shapes of all tensors."""
    norm_parts = ("weight", "bias") if model.has_layer_norm else ("weight",)
    kv_width = model.width // model.heads * model.kv_heads
    yield "token_embd.weight", (model.vocabulary, model.width)
    yield from ((f"output_norm.{part}", (model.width,)) for part in norm_parts)
    if model.has_output:
        yield "output.weight", (model.vocabulary, model.width)
    for layer in range(model.layers):
        for norm in ("attn_norm", "ffn_norm"):
            yield from ((f"blk.{layer}.{norm}.{part}", (model.width,)) for part in norm_parts)
        products = {
            "attn_q": (model.width, model.width),
            "attn_k": (kv_width, model.width),
            "attn_v": (kv_width, model.width),
            "attn_output": (model.width, model.width),
            "ffn_gate": (model.neurons, model.width),
            "ffn_up": (model.neurons, model.width),
            "ffn_down": (model.width, model.neurons),
        }
        yield from ((f"blk.{layer}.{name}.weight", shape) for name, shape in products.items())


def _values(random: np.random.Generator, shape: tuple[int, ...], kind: GGMLQuantizationType) -> Iterator[np.ndarray]:
    """Yield the bytes of a tensor, some rows at a time."""
    if kind == GGMLQuantizationType.F32:
        yield np.ones(shape, np.float32)
        return
    block, size = GGML_QUANT_SIZES[kind]
    largest = 127 if kind == GGMLQuantizationType.Q8_0 else 8
    # Uniform integers have a standard deviation of 0.58 of the largest: the product keeps its input's size.
    step = np.float16(1 / (0.58 * largest * np.sqrt(shape[1])))
    for start in range(0, shape[0], _ROWS):
        rows = min(_ROWS, shape[0] - start)
        blocks = random.integers(0, 256, (rows, shape[1] // block, size), np.uint8)
        blocks[..., :2] = np.frombuffer(step.tobytes(), np.uint8)
        yield blocks


def _add_tokenizer(writer: gguf.GGUFWriter, vocabulary: int) -> None:
    """Add a tokenizer of bytes: 256 of them, the control tokens, and rows that no text uses."""
    letters = [chr(code) for code in [*range(33, 127), *range(161, 173), *range(174, 256)]]
    bytes_ = [*letters, *(chr(256 + number) for number in range(256 - len(letters)))]  # as GPT-2 spells them
    learnt = [*bytes_, "()"]  # the format has no empty list, so one pair is merged
    rest = vocabulary - len(learnt) - len(FIM)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([*learnt, *FIM, *(f"[PAD{number}]" for number in range(rest))])
    kinds = [TokenType.NORMAL] * len(learnt) + [TokenType.CONTROL] * len(FIM) + [TokenType.UNUSED] * rest
    writer.add_token_types(kinds)
    writer.add_token_merges(["( )"])
    writer.add_eos_token_id(len(learnt))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("name", nargs="?", default="stable-code-3b", choices=MODELS)
    arguments = parser.parse_args()
    write(arguments.path, arguments.name)
