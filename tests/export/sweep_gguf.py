"""Made-up weights in the shape of Sweep's models: Qwen2, 2 layers, 8 bits, with one vocabulary or the other."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
from gguf.quants import quantize
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from export.conftest import TRAINING_TEXT

QWEN_CONTROL = (
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>",
    "<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>",
    "<|image_pad|>", "<|video_pad|>", "<tool_call>", "</tool_call>", "<|fim_prefix|>", "<|fim_middle|>",
    "<|fim_suffix|>", "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>",
)  # fmt: skip
"""The control tokens of Qwen2.5, in the order of their ids."""
LAYERS, WIDTH, NEURONS, HEADS, KV_HEADS, CONTEXT = 2, 64, 128, 4, 2, 512
_LIKED = 8.0
"""How much the model likes to end its answer; other tokens half as much."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What differs between files."""

    size: int
    """Number of tokens of the vocabulary that are learnt from text, and their merges with it."""
    control: tuple[str, ...] = QWEN_CONTROL
    padding: int = 0
    """Number of rows after the last token, as Qwen's own files have them."""
    has_output: bool
    """Whether the last product has a tensor of its own."""
    end: int | None = None
    """The declared end token, if it is not that of the first control token."""
    missing_rows: int = 0
    """By how many the embedding has fewer rows than there are tokens."""


BASE = Shape(size=320, padding=9, has_output=False)
"""As the base models have it: padded, and one tensor for the embedding and the last product."""
OWN = Shape(size=291, control=(*QWEN_CONTROL, "<|more|>"), has_output=True)
"""A vocabulary of its own, smaller, of an odd size, with other ids for all control tokens."""


def write_sweep_gguf(path: Path, shape: Shape) -> Path:
    """Write weights whose answer always ends at once, with the token between files."""
    learnt, merges = _learnt(shape.size)
    tokens = [*learnt, *shape.control, *(f"[PAD{number}]" for number in range(shape.padding))]
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_block_count(LAYERS)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(NEURONS)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_freq_base(10_000.0)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    kinds = [gguf.TokenType.NORMAL] * len(learnt) + [gguf.TokenType.CONTROL] * len(shape.control)
    writer.add_token_types([*kinds, *[gguf.TokenType.UNUSED] * shape.padding])
    writer.add_token_merges(merges)
    writer.add_eos_token_id(len(learnt) if shape.end is None else shape.end)
    liked = tokens.index("<|file_sep|>") if "<|file_sep|>" in tokens else 0
    for name, array in _tensors(len(tokens) - shape.missing_rows, liked, shape.has_output).items():
        if array.ndim == 1:
            writer.add_tensor(name, array)
        else:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(name, quantize(array, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _learnt(size: int) -> tuple[list[str], list[str]]:
    """Return the tokens that a tokenizer learns from some code, and its merges."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(TRAINING_TEXT, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return sorted(model["vocab"], key=model["vocab"].get), [" ".join(merge) for merge in model["merges"]]


def _tensors(rows: int, liked: int, has_output: bool) -> dict[str, NDArray[np.float32]]:
    random = np.random.default_rng(17)

    def noise(*shape: int) -> NDArray[np.float32]:
        return random.normal(0, 0.02, shape).astype(np.float32)

    tokens = noise(rows, WIDTH)
    tokens[:, 0] += _LIKED / 2
    tokens[liked, 0] += _LIKED / 2
    kv_width = WIDTH // HEADS * KV_HEADS
    made = {"token_embd.weight": tokens, "output_norm.weight": 1 + noise(WIDTH)}
    if has_output:
        made["output.weight"] = tokens + noise(rows, WIDTH)
    for layer in range(LAYERS):
        of_layer = {
            "attn_norm.weight": 1 + noise(WIDTH),
            "ffn_norm.weight": 1 + noise(WIDTH),
            "attn_q.weight": noise(WIDTH, WIDTH),
            "attn_q.bias": noise(WIDTH),
            "attn_k.weight": noise(kv_width, WIDTH),
            "attn_k.bias": noise(kv_width),
            "attn_v.weight": noise(kv_width, WIDTH),
            "attn_v.bias": noise(kv_width),
            "attn_output.weight": noise(WIDTH, WIDTH),
            "ffn_gate.weight": noise(NEURONS, WIDTH),
            "ffn_up.weight": noise(NEURONS, WIDTH),
            "ffn_down.weight": noise(WIDTH, NEURONS),
        }
        made.update({f"blk.{layer}.{name}": array for name, array in of_layer.items()})
    return made
