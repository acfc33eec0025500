"""A tiny random Qwen2 with a tokenizer of its own, as a checkpoint folder and as a GGUF; made in seconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from midfill.inference.bundle_files import hash_file
from midfill_export.build import verify
from midfill_export.weights.known_models import WEIGHTS
from midfill_export.weights.weights import Weights

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CONTROL_TOKENS = ("<|endoftext|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|im_end|>")
TRAINING_TEXT = [
    "def add(left, right):\n    return left + right\n\n\nfor index in range(10):\n    print(add(index, 1))\n",
    "class Item:\n    def __init__(self, name):\n        self.name = name\n"
    "\n    def label(self):\n        return self.name\n",
]


@pytest.fixture(scope="session", autouse=True)
def few_samples() -> Iterator[None]:
    """Verify a tiny model on a part of the samples: it takes most of the time of an export otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify, "_VERIFIED", verify._VERIFIED[::6])
        yield


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a transformers folder: 2 layers, 4 heads on 2 KV heads, random weights, byte-level BPE."""
    folder = tmp_path_factory.mktemp("tiny-qwen2")
    make_checkpoint(folder, "qwen2", num_key_value_heads=2)
    return folder


def make_checkpoint(folder: Path, model_type: str, **options: object) -> None:
    """Write a tiny model of some family, with ``options`` for its configuration, and a tokenizer into ``folder``."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=train_tokenizer(), eos_token=CONTROL_TOKENS[0], additional_special_tokens=CONTROL_TOKENS[1:]
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    common = {
        "vocab_size": len(tokenizer),
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 512,
        "eos_token_id": tokenizer.eos_token_id,
        "initializer_range": 0.2,
    }
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(model_type, **{**common, **options}))
    for parameter in model.parameters():  # norms and biases of a fresh model are all ones and zeros: no test of them
        if parameter.dim() == 1:
            parameter.data += 0.1 * torch.randn_like(parameter)
    model.save_pretrained(folder)


def train_tokenizer() -> Tokenizer:
    """Return a small byte-level BPE tokenizer with Qwen's control tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=list(CONTROL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TRAINING_TEXT, trainer)
    return tokenizer


@pytest.fixture(scope="session")
def gguf_file(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the same model as a GGUF in F32, its control tokens marked as such."""
    import json

    import gguf
    from safetensors.numpy import load_file

    config = json.loads((checkpoint / "config.json").read_text())
    backend = json.loads((checkpoint / "tokenizer.json").read_text())
    path = tmp_path_factory.mktemp("gguf") / "tiny-qwen2-f32.gguf"
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_name("tiny qwen2")
    writer.add_license("MIT")
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    vocabulary = sorted(backend["model"]["vocab"], key=backend["model"]["vocab"].get)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(vocabulary)
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    writer.add_token_types([control if token in CONTROL_TOKENS else normal for token in vocabulary])
    writer.add_token_merges([" ".join(merge) for merge in backend["model"]["merges"]])
    writer.add_eos_token_id(config["eos_token_id"])
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN2, config["num_hidden_layers"])
    for name, tensor in load_file(checkpoint / "model.safetensors").items():
        writer.add_tensor(names.get_name(name, try_suffixes=(".weight", ".bias")), tensor.astype("float32"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="session")
def bundle_folder(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the bundle of the tiny checkpoint."""
    from midfill_export.build.from_checkpoint import bundle_from_checkpoint

    return bundle_from_checkpoint(str(checkpoint), tmp_path_factory.mktemp("bundles") / "tiny").path


@pytest.fixture(scope="session")
def weights(gguf_file: Path) -> Weights:
    """Pin the GGUF as if it could be pulled."""
    return replace(
        WEIGHTS["0.5b"],
        name="tiny",
        title=gguf_file.stem,
        shape=None,
        licence="MIT",
        file=gguf_file.name,
        size=gguf_file.stat().st_size,
        sha256=hash_file(gguf_file),
    )
