"""Checkpoint -> bundle, through torch: the model is traced, compared with the checkpoint, and built into a bundle."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx_ir as ir

from midfill.common.errors import ExportError
from midfill.inference.bundle import GRAPH, EditFormatName, KvLayout, Manifest
from midfill.inference.licences import Permit, licence
from midfill.inference.onnx_model import OnnxModel
from midfill_export.build import verify
from midfill_export.build.bundle import build_bundle
from midfill_export.build.bundle_folder import Description, require_bundle_folder, scratch_beside
from midfill_export.build.progress import OnStage
from midfill_export.build.torch_logits import torch_logits
from midfill_export.graph.nodes import attention_nodes, save_graph
from midfill_export.graph.optimize import optimize
from midfill_export.graph.rope_scaling import RopeScaling
from midfill_export.graph.to_onnx import export_onnx
from midfill_export.loaders.checkpoint import Checkpoint, open_checkpoint
from midfill_export.loaders.fim_formats import find_format, find_stop_tokens, require_edit_tokens
from midfill_export.quantization.rotate import can_rotate, fold_norms


@dataclass(frozen=True)
class Exported:
    """What an export made and measured."""

    path: Path
    manifest: Manifest
    float_nodes: int
    """Number of nodes of the FP32 graph."""
    attention_nodes: int
    """How many of them are ``GroupQueryAttention``."""


@dataclass(frozen=True)
class TracedModel:
    """The FP32 graph of a checkpoint, on disk (a ``FloatModel``)."""

    description: Description
    path: Path
    """The graph's file; its weights are beside it."""
    nodes: int
    attention_nodes: int
    difference: float
    """Largest difference of a logit between the checkpoint and the graph."""

    def open_graph(self) -> ir.Model:
        """Load the graph; weights are read when they are used."""
        return ir.load(self.path)

    def logits(self, samples: Sequence[verify.Sample]) -> list[verify.Logits]:
        """Run the graph as the server does."""
        return verify.graph_logits(OnnxModel(self.path, self.description.kv), samples)


def bundle_from_checkpoint(
    source: str,
    out: Path,
    progress: OnStage = lambda _: None,
    permit: Permit = Permit(),  # noqa: B008 -- frozen
    rope_scaling: RopeScaling = RopeScaling(),  # noqa: B008 -- frozen
    edit_format: EditFormatName = "plain",
) -> Exported:
    """Export ``source`` into the bundle ``out``. An older bundle there is replaced only when everything went well.

    Args:
        source: A GGUF file, a checkpoint folder or a hub id.
        out: The bundle's folder.
        progress: Called with a line after each stage.
        permit: What the user does with the model, and which licences the user accepts.
        rope_scaling: The context length to export for.
        edit_format: The prompt format that the model was trained to predict edits in.

    Raises:
        SourceError: ``source`` cannot be found or read, or its tokenizer is not one for ``edit_format``.
        LicenceRefused: ``permit`` is not enough for the licence.
        UsageError: ``rope_scaling`` names no method for a longer context.
        ExportError: a stage failed, or the graph differs from the checkpoint.
    """
    checkpoint = open_checkpoint(source)
    found = licence(checkpoint.source.license, checkpoint.name)
    progress(f"source: {checkpoint.name}, {source}; licence: {found}")
    permit.check(checkpoint.source.license, checkpoint.name)
    require_bundle_folder(out)
    with scratch_beside(out) as scratch:
        model = trace_checkpoint(checkpoint, scratch, progress, rope_scaling, edit_format)
        manifest = build_bundle(model, out, progress=progress)
    return Exported(out, manifest, model.nodes, model.attention_nodes)


def trace_checkpoint(
    checkpoint: Checkpoint,
    scratch: Path,
    progress: OnStage,
    rope_scaling: RopeScaling = RopeScaling(),  # noqa: B008 -- frozen
    edit_format: EditFormatName = "plain",
) -> TracedModel:
    """Trace a checkpoint, optimize the graph and compare it with the checkpoint; the graph's files are in ``scratch``.

    Raises:
        SourceError, UsageError, ExportError: as :func:`bundle_from_checkpoint`.
    """
    tokenizer, chat_template = checkpoint.load_tokenizer()
    fim, fim_tokens = find_format(tokenizer)
    require_edit_tokens(edit_format, fim)
    progress(f"tokenizer: {tokenizer.get_vocab_size()} tokens, {fim}")
    samples = verify.verification_samples(verify.plain_encoder(tokenizer), fim)[: verify.PARITY_SAMPLES]

    model = checkpoint.load_model()
    config = model.config
    stretch = rope_scaling.apply(model)
    progress(f"checkpoint: {config.model_type}, {model.num_parameters() / 1e6:.0f}M parameters, FP32")
    stop_tokens = find_stop_tokens(tokenizer, fim, _declared_stops(model.generation_config, config))
    expected = torch_logits(model, samples)
    (scratch / "traced").mkdir()
    traced = scratch / "traced" / GRAPH
    rotaries = export_onnx(model, traced, config.max_position_embeddings)
    del model
    gc.collect()
    progress("onnx: traced with fused attention")

    (scratch / "float").mkdir()
    float_graph = scratch / "float" / GRAPH
    lean = optimize(traced, rotaries)
    if can_rotate(lean.graph):
        fold_norms(lean.graph)
    attention, nodes = len(attention_nodes(lean.graph)), len(lean.graph)
    save_graph(lean, float_graph)
    del lean
    gc.collect()  # Windows removes no file that a graph still maps
    shutil.rmtree(traced.parent, ignore_errors=True)
    kv = KvLayout(
        layers=config.num_hidden_layers,
        heads=getattr(config, "num_key_value_heads", None) or config.num_attention_heads,
        head_size=getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads,
    )
    progress(f"graph: {nodes} nodes, {attention} GroupQueryAttention for {kv.layers} layers")
    context = config.max_position_embeddings
    how = f" by {stretch['method']} (trained: {stretch['trained']:,})" if "method" in stretch else ""
    progress(
        f"context: {context:,} tokens{how}; a KV cache of all of it takes {context * kv.bytes_per_token / 1e6:,.0f} MB"
    )

    difference = verify.largest_difference(expected, verify.graph_logits(OnnxModel(float_graph, kv), samples))
    if not difference <= verify.PARITY_LIMIT:
        raise ExportError(f"the ONNX graph differs from the checkpoint by {difference:.2g} in a logit: not exported.")
    progress(f"parity: the logits of the FP32 graph are within {difference:.1e} of the checkpoint's")
    description = Description(
        name=checkpoint.name,
        family=config.model_type,
        source=checkpoint.source,
        tokenizer=tokenizer,
        chat_template=chat_template,
        fim=fim,
        fim_tokens=fim_tokens,
        stop_tokens=stop_tokens,
        context_length=config.max_position_embeddings,
        vocabulary=config.vocab_size,
        kv=kv,
        stretch=stretch,
        edit_format=edit_format,
    )
    return TracedModel(description, float_graph, nodes, attention, difference)


def _declared_stops(*configs: object) -> list[int]:
    stops: set[int] = set()
    for config in configs:
        declared = getattr(config, "eos_token_id", None)
        stops.update([declared] if isinstance(declared, int) else declared or [])
    return sorted(stops)
