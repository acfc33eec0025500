"""What several unit tests need: documents with a marked cursor, a tiny tokenizer, tiny bundles."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from midfill.common.cancel import CancelFlag
from midfill.inference.bundle import (
    FORMAT,
    GRAPH,
    MANIFEST,
    TOKENIZER,
    Bundle,
    FimFormat,
    KvLayout,
    Manifest,
    Verification,
    WeightSource,
    write_manifest,
)
from midfill.inference.bundle_files import describe_files
from midfill.inference.kv_cache import KvCache
from midfill.inference.loaded_model import LoadedModel
from midfill.inference.manifest_check import CHECKSUM, checksum_of
from midfill.inference.onnx_model import Model
from midfill.inference.tokenizer import ModelTokenizer
from midfill.prompt.context import Context, gather

CURSOR = "▮"
CONTROL = ["<|endoftext|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"]
_CORPUS = 'def add(left, right):\n    return left + right\n\n\nprint(add(1, 2))\nx = "naïve"\n    if x:\n        pass\n'


class MarkovModel:
    """A model of many likings: its logits are the row of a table that belongs to the last token."""

    def __init__(self, table: NDArray[np.float32]) -> None:
        self._table = table
        self.steps: list[int] = []
        """How many tokens each step was given."""

    def new_cache(self, capacity: int) -> KvCache:
        return KvCache(None, capacity)

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        """Return the rows of the last tokens."""
        cancel.check()
        cache.append(ids)
        assert len(cache) <= cache.capacity
        self.steps.append(len(ids))
        return self._table[list(ids[len(ids) - rows :])]


def split(marked: str) -> tuple[str, int]:
    """Take the cursor's mark out of a document; return the document and the cursor's offset."""
    assert marked.count(CURSOR) == 1, "mark the cursor once"
    return marked.replace(CURSOR, ""), marked.index(CURSOR)


def context(marked: str) -> Context:
    """Gather the context of the marked cursor."""
    return gather(*split(marked))


@cache
def _trained() -> str:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=340, show_progress=False, initial_alphabet=alphabet)
    tokenizer.train_from_iterator([_CORPUS] * 4, trainer)
    tokenizer.add_special_tokens(CONTROL)
    return str(tokenizer.to_str())


def tiny_tokenizer() -> Tokenizer:
    """Make a byte-level BPE tokenizer as code models have them, of some 300 tokens, with control tokens."""
    return Tokenizer.from_str(_trained())


def encode(text: str) -> list[int]:
    """Encode with the tiny tokenizer."""
    ids: list[int] = tiny_tokenizer().encode(text, add_special_tokens=False).ids
    return ids


def manifest(**changes: Any) -> Manifest:
    """Make the manifest of a bundle around the tiny tokenizer."""
    tokenizer = tiny_tokenizer()
    end, prefix, suffix, middle = (tokenizer.token_to_id(text) for text in CONTROL)
    made = Manifest(
        format=FORMAT,
        made_by="the tests",
        name="tiny",
        family="none",
        source=WeightSource(repository="none", file="", sha256="", license="Apache-2.0"),
        fim=FimFormat(order="suffix-first", prefix=prefix, suffix=suffix, middle=middle),
        fim_tokens=dict(zip(("prefix", "suffix", "middle"), CONTROL[1:], strict=True)),
        stop_tokens=[end, prefix, suffix, middle],
        chat_template="",
        context_length=1024,
        vocabulary=tokenizer.get_vocab_size(),
        kv=KvLayout(layers=1, heads=1, head_size=1),
        quantisation={},
        verification=Verification(graph_max_difference=0.0, positions=1, top1_agreement=1.0, mean_kl=0.0),
        files={},
    )
    return replace(made, **changes)


def model_tokenizer() -> ModelTokenizer:
    """Make the tiny tokenizer as a model has it."""
    return ModelTokenizer(tiny_tokenizer(), manifest())


def loaded_model(model: Model, tokenizer: Tokenizer | None = None, **changes: Any) -> LoadedModel:
    """Make a loaded model without files, whose manifest has some ``changes``."""
    made = manifest(**changes)
    return LoadedModel(Bundle(Path("unused"), made), ModelTokenizer(tokenizer or tiny_tokenizer(), made), model)


def write_bundle(folder: Path, graph: bytes = b"a graph", tokenizer: bytes | None = None, **changes: Any) -> Bundle:
    """Write a bundle whose files are what its manifest says."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / GRAPH).write_bytes(graph)
    (folder / f"{GRAPH}.data").write_bytes(b"some weights")
    (folder / TOKENIZER).write_bytes(_trained().encode() if tokenizer is None else tokenizer)
    files = describe_files(folder, [GRAPH, f"{GRAPH}.data", TOKENIZER])
    made = manifest(**{"files": files, **changes})
    write_manifest(folder, made)
    return Bundle(folder, made)


def edit_manifest(bundle: Path, /, **changes: Any) -> None:
    """Change values in a manifest's JSON, and its checksum with them; None removes a name."""
    data = json.loads((bundle / MANIFEST).read_text(encoding="utf-8"))
    data = {name: value for name, value in {**data, **changes}.items() if value is not None}
    data[CHECKSUM] = checksum_of(data)
    (bundle / MANIFEST).write_text(json.dumps(data), encoding="utf-8")


def chain_graph(said: str, anywhere: bool = False) -> bytes:
    """Make a real graph, with the inputs and outputs of an exported one.

    It says ``said`` where nothing stands before the cursor, or anywhere, and nothing else.
    """
    size = manifest().vocabulary
    middle, end = manifest().fim.middle, manifest().stop_tokens[0]
    chain = [middle, *encode(said), end]
    assert len(set(chain)) == len(chain), "a token may be said once only"
    table = np.zeros((size, size), np.float32)
    table[:, chain[1] if anywhere else end] = 0.5
    table[chain[:-1], chain[1:]] = 1.0
    return table_graph(table)


def table_graph(table: NDArray[np.float32]) -> bytes:
    """Make a real graph, with the inputs and outputs of an exported one; it is a :class:`MarkovModel`."""
    onnx = pytest.importorskip("onnx", reason="needs the export extra")
    size = len(table)
    tensor, node = onnx.helper.make_tensor_value_info, onnx.helper.make_node
    integer, number = onnx.TensorProto.INT64, onnx.TensorProto.FLOAT
    past = [1, 1, "capacity", 1]
    graph = onnx.helper.make_graph(
        [
            node("Gather", ["input_ids", "logit_rows"], ["last"], axis=1),  # (1, rows)
            node("Gather", ["table", "last"], ["logits"], axis=0),  # (1, rows, vocabulary)
            *(node("Identity", [f"past_key_values.0.{part}"], [f"present.0.{part}"]) for part in ("key", "value")),
        ],
        "chain",
        [
            tensor("input_ids", integer, [1, "new"]),
            tensor("attention_mask", integer, [1, "total"]),
            tensor("logit_rows", integer, ["rows"]),
            *(tensor(f"past_key_values.0.{part}", number, past) for part in ("key", "value")),
        ],
        [
            tensor("logits", number, [1, "rows", size]),
            *(tensor(f"present.0.{part}", number, past) for part in ("key", "value")),
        ],
        [onnx.numpy_helper.from_array(table, "table")],
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    return bytes(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString())


def fake_llama_server(folder: Path) -> Path:
    """Write a program that stands in for llama-server."""
    program = folder / "llama-server"
    script = Path(__file__).with_name("fake_llama_server.py")
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
    program.chmod(0o755)
    return program
