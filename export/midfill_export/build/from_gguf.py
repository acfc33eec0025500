"""A GGUF -> its bundle, without torch: the same bundle that ``midfill export`` makes.

Weights are dequantized one matrix at a time, so that the whole FP32 model is never in memory, nor on disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx_ir as ir

from midfill.common.errors import BundleError, SourceError
from midfill.inference.bundle import KvLayout, Manifest, load_bundle
from midfill_export.build import verify
from midfill_export.build.bundle import build_bundle
from midfill_export.build.bundle_folder import Description
from midfill_export.build.progress import OnStage
from midfill_export.graph.decoder import decoder_graph
from midfill_export.loaders.architecture import Architecture, read_architecture
from midfill_export.loaders.fim_formats import find_format, find_stop_tokens, require_edit_tokens
from midfill_export.loaders.gguf_file import GgufFile, open_gguf
from midfill_export.loaders.gguf_tokenizer import read_tokenizer
from midfill_export.quantization.quantize import Recipe
from midfill_export.quantization.rotate import can_rotate, fold_norms
from midfill_export.weights.weights import Weights

_EVERY_SAMPLE = 4
"""A quarter of the samples is enough here: the recipe itself was verified on all of them by an export."""


@dataclass(frozen=True)
class GgufModel:
    """The FP32 model of a GGUF, whose graph is written anew each time (a ``FloatModel``)."""

    description: Description
    gguf: GgufFile
    difference: float = 0.0
    """There is no checkpoint to compare the graph with. Tests compare a tiny one of each family."""

    def open_graph(self) -> ir.Model:
        """Write the graph; weights are read from the GGUF when they are used."""
        model = decoder_graph(self.gguf)
        if can_rotate(model.graph):
            fold_norms(model.graph)
        return model

    def logits(self, samples: Sequence[verify.Sample]) -> list[verify.Logits]:
        """Run the graph a few layers at a time."""
        return verify.float_logits(self.open_graph(), samples)


def is_built(weights: Weights, out: Path) -> bool:
    """Tell whether ``out`` is a whole bundle of these weights by the current recipe."""
    try:
        manifest = load_bundle(out).manifest
    except BundleError:
        return False
    # Versions before 0.3 named a kind of processor. Their weights of 8 bits are the same.
    made_by = {name: value for name, value in manifest.quantisation.items() if name != "target"}
    return (manifest.source.sha256, made_by) == (weights.sha256, Recipe().describe())


def bundle_from_gguf(weights: Weights, path: Path, out: Path, progress: OnStage = lambda _: None) -> Manifest:
    """Build the bundle folder ``out`` of a GGUF; it is replaced only when everything went well.

    Args:
        weights: Which weights they are.
        path: The GGUF file.
        out: The bundle's folder.
        progress: Called with a line after each stage.

    Raises:
        SourceError: the weights cannot be read.
        ExportError: Midfill does not know the model's architecture, or the disk is full.
    """
    gguf = open_gguf(path)
    description = describe_gguf(weights, gguf)
    progress(f"tokenizer: {description.tokenizer.get_vocab_size()} tokens, {description.fim}")
    return build_bundle(GgufModel(description, gguf), out, every_sample=_EVERY_SAMPLE, progress=progress)


def describe_gguf(weights: Weights, gguf: GgufFile) -> Description:
    """Return all that a GGUF says of its model.

    Raises:
        SourceError: something that is needed is missing, or of a kind that is unknown here.
    """
    architecture = read_architecture(gguf)
    _require_shape(weights, architecture, gguf)
    tokenizer = read_tokenizer(gguf)
    vocabulary = architecture.vocabulary
    fim, fim_tokens = find_format(tokenizer, gguf.text("tokenizer.ggml.pre") or "")
    require_edit_tokens(weights.edit_format, fim)
    declared = gguf.fields.get("tokenizer.ggml.eos_token_id")
    if isinstance(declared, int) and not 0 <= declared < vocabulary:
        raise SourceError(
            f"{gguf.path.name} names token {declared} as the end of a text, and has {vocabulary} tokens: get it again."
        )
    return Description(
        name=weights.title,
        family=architecture.name,
        source=weights.origin,
        tokenizer=tokenizer,
        chat_template=gguf.text("tokenizer.chat_template") or "",
        fim=fim,
        fim_tokens=fim_tokens,
        stop_tokens=find_stop_tokens(tokenizer, fim, [declared] if isinstance(declared, int) else []),
        context_length=architecture.context,
        vocabulary=vocabulary,
        kv=KvLayout(layers=architecture.layers, heads=architecture.kv_heads, head_size=architecture.head_size),
        edit_format=weights.edit_format,
    )


def _require_shape(weights: Weights, architecture: Architecture, gguf: GgufFile) -> None:
    """Compare a file's dimensions with those in the catalogue.

    Raises:
        SourceError: they differ, so it is another model's file.
    """
    shape = weights.shape
    if shape is None:
        return
    neurons = gguf.number(f"{architecture.name}.feed_forward_length")
    found = (architecture.layers, architecture.width, neurons, architecture.heads, architecture.kv_heads)
    expected = (shape.layers, shape.width, shape.neurons, shape.heads, shape.kv_heads)
    if found != expected:
        raise SourceError(
            f"{gguf.path.name} is not {weights.title}: its layers, width, neurons, heads and KV heads are {found}, not"
            f" {expected}; get it again."
        )
