"""Source -> bundle: the stages in order, each in memory of its own, the bundle appearing only when it is whole."""

from __future__ import annotations

import gc
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from midfill.common.errors import ExportError
from midfill.inference import cpu
from midfill.inference.bundle import GRAPH, KvLayout, Manifest
from midfill.inference.licences import Permit, licence
from midfill.inference.onnx_model import OnnxModel
from midfill_export.build import verify
from midfill_export.build.pack import (
    Description,
    OnStage,
    complete_bundle,
    folder_size,
    put_in_place,
    scratch_beside,
    write_int8,
)
from midfill_export.graph import graph
from midfill_export.graph.nodes import attention_nodes
from midfill_export.graph.rope_scaling import Stretch
from midfill_export.graph.to_onnx import export_onnx
from midfill_export.loaders.checkpoint import Checkpoint, open_checkpoint, torch_logits
from midfill_export.loaders.formats import find_format, find_stop_tokens
from midfill_export.quantization.calibrate import Moments, second_moments
from midfill_export.quantization.quantize import Recipe
from midfill_export.quantization.rotate import can_rotate, fold_norms

Logits = NDArray[np.float32]

PARITY_LIMIT = 1e-2
"""Largest difference of a logit the FP32 graph may have from the checkpoint; measured: 6e-5."""
PARITY_SAMPLES = 4


@dataclass(frozen=True)
class Exported:
    """What an export made and measured."""

    path: Path
    manifest: Manifest
    float_nodes: int
    attention_nodes: int


@dataclass(frozen=True)
class FloatModel:
    """A checkpoint as a lean FP32 graph that was shown to be the same model, with all that a bundle says of it."""

    about: Description
    graph: Path
    nodes: int
    attention_nodes: int
    samples: list[verify.Sample]
    reference: list[Logits]
    """The FP32 graph's logits on ``samples``."""
    difference: float
    """Largest difference of a logit between the checkpoint and the FP32 graph."""
    moments: Moments
    """Of the activations; empty when the graph cannot be rotated."""


def convert(
    source: str,
    out: Path,
    target: str | None = None,
    progress: OnStage = lambda _: None,
    permit: Permit = Permit(),  # noqa: B008 -- frozen
    stretch: Stretch = Stretch(),  # noqa: B008 -- frozen
) -> Exported:
    """Export ``source`` into the bundle folder ``out``, which is replaced when everything went well.

    Raises:
        SourceError: ``source`` cannot be had or read.
        LicenceRefused: ``permit`` is not what its licence wants.
        UsageError: ``stretch`` does not say how to reach its context.
        ExportError: a stage failed, or the graph is not the model.
    """
    checkpoint = open_checkpoint(source)
    found = licence(checkpoint.source.license, checkpoint.name)
    progress(f"source: {checkpoint.name}, {source}; licence: {found}")
    permit.check(checkpoint.source.license, checkpoint.name)
    with scratch_beside(out) as scratch:
        return to_bundle(to_float(checkpoint, scratch, progress, stretch), scratch, out, target, progress)


def to_bundle(
    model: FloatModel, scratch: Path, out: Path, target: str | None = None, progress: OnStage = lambda _: None
) -> Exported:
    """Quantise, compare with FP32, and put the bundle in place; the FP32 graph, which is in ``scratch``, goes."""
    recipe = Recipe(target or cpu.detect_target())
    bundle = scratch / "bundle"
    bundle.mkdir()
    quantise_to(model, recipe, bundle / GRAPH)
    progress(f"int8: {recipe.describe()['scheme']}, for {recipe.target}, {folder_size(bundle) / 1e6:.0f} MB")
    shutil.rmtree(model.graph.parent)
    agreement = verify.compare(
        model.reference, verify.graph_logits(OnnxModel(bundle / GRAPH, model.about.kv), model.samples)
    )
    progress(
        f"verify: top-1 agreement with FP32 {agreement.top1:.4f}, mean KL {agreement.mean_kl:.4f} on "
        f"{agreement.positions} tokens cut out of {len(model.samples)} source files"
    )
    manifest = complete_bundle(model.about, bundle, recipe.describe(), recipe.target, model.difference, agreement)
    put_in_place(bundle, out)
    return Exported(out, manifest, model.nodes, model.attention_nodes)


def to_float(
    checkpoint: Checkpoint,
    scratch: Path,
    progress: OnStage,
    stretch: Stretch = Stretch(),  # noqa: B008 -- frozen
) -> FloatModel:
    """Trace, make lean, check against the checkpoint, and look at the activations; the graph is in ``scratch``."""
    tokenizer, chat_template = checkpoint.load_tokenizer()
    fim, fim_tokens = find_format(tokenizer)
    progress(f"tokenizer: {tokenizer.get_vocab_size()} tokens, {fim}")
    encode = verify.plain_encoder(tokenizer)
    samples = verify.verification_samples(encode, fim)

    model = checkpoint.load_model()
    config = model.config
    stretched = stretch.apply(model)
    progress(f"checkpoint: {config.model_type}, {model.num_parameters() / 1e6:.0f}M parameters, FP32")
    stop_tokens = find_stop_tokens(tokenizer, fim, _declared_stops(model.generation_config, config))
    expected = torch_logits(model, samples[:PARITY_SAMPLES])
    (scratch / "traced").mkdir()
    traced = scratch / "traced" / GRAPH
    rotaries = export_onnx(model, traced, config.max_position_embeddings)
    del model
    gc.collect()
    progress("onnx: traced with fused attention")

    (scratch / "float").mkdir()
    float_graph = scratch / "float" / GRAPH
    lean = graph.optimise(traced, rotaries)
    rotatable = can_rotate(lean.graph)
    if rotatable:
        fold_norms(lean.graph)
    attention, nodes = len(attention_nodes(lean.graph)), len(lean.graph)
    graph.save(lean, float_graph)
    del lean
    shutil.rmtree(traced.parent)
    kv = KvLayout(
        layers=config.num_hidden_layers,
        heads=getattr(config, "num_key_value_heads", None) or config.num_attention_heads,
        head_size=getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads,
    )
    progress(f"graph: {nodes} nodes, {attention} GroupQueryAttention for {kv.layers} layers")
    context = config.max_position_embeddings
    how = f" by {stretched['method']} (trained: {stretched['trained']:,})" if "method" in stretched else ""
    progress(
        f"context: {context:,} tokens{how}; a KV cache of all of it takes {context * kv.bytes_per_token / 1e6:,.0f} MB"
    )

    reference, difference = _reference_logits(float_graph, kv, samples, expected)
    progress(f"parity: the FP32 graph is within {difference:.1e} of the checkpoint")
    prompts = verify.calibration_prompts(encode, fim)
    moments = second_moments(ir.load(float_graph), prompts) if rotatable else Moments()
    progress(f"calibration: the activations after {len(moments.covariances)} norms")
    about = Description(
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
        stretch=stretched,
    )
    return FloatModel(
        about=about,
        graph=float_graph,
        nodes=nodes,
        attention_nodes=attention,
        samples=samples,
        reference=reference,
        difference=difference,
        moments=moments,
    )


def quantise_to(model: FloatModel, recipe: Recipe, path: Path) -> None:
    """Write the INT8 graph of ``model`` to ``path``, its weights beside it."""
    moments = Moments(dict(model.moments.covariances), model.moments.squares)  # which quantising empties
    write_int8(ir.load(model.graph), recipe, moments, path)


def _reference_logits(
    float_graph: Path, kv: KvLayout, samples: list[verify.Sample], expected: list[Logits]
) -> tuple[list[Logits], float]:
    model = OnnxModel(float_graph, kv)
    reference = verify.graph_logits(model, samples)
    difference = verify.largest_difference(expected, reference[: len(expected)])
    if not difference <= PARITY_LIMIT:
        raise ExportError(f"the ONNX graph differs from the checkpoint by {difference:.2g} in a logit: not exported.")
    return reference, difference


def _declared_stops(*configs: object) -> list[int]:
    stops: set[int] = set()
    for config in configs:
        declared = getattr(config, "eos_token_id", None)
        stops.update([declared] if isinstance(declared, int) else declared or [])
    return sorted(stops)
