"""Source -> bundle: the stages in order, each in memory of its own, the bundle appearing only when it is whole."""

from __future__ import annotations

import gc
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray
from tokenizers import Tokenizer

from midfill import __version__, cpu
from midfill.bundle import (
    FORMAT,
    GRAPH,
    TOKENIZER,
    KvLayout,
    Manifest,
    Verification,
    describe_files,
    write_manifest,
)
from midfill.errors import ExportError
from midfill.model import OnnxModel
from midfill_export import graph, verify
from midfill_export.checkpoint import Checkpoint, open_checkpoint
from midfill_export.formats import find_format, find_stop_tokens
from midfill_export.quantize import Recipe, quantise
from midfill_export.to_onnx import export_onnx

Logits = NDArray[np.float32]
Progress = Callable[[str], None]
"""Told one line at the start of each stage and at its end."""

PARITY_LIMIT = 1e-2
"""Largest difference of a logit the FP32 graph may have from the checkpoint; measured: 6e-5."""
_PARITY_PROMPTS, _AGREEMENT_PROMPTS = 4, 48


@dataclass(frozen=True)
class Exported:
    """What an export made and measured."""

    path: Path
    manifest: Manifest
    float_nodes: int
    attention_nodes: int


def convert(source: str, out: Path, target: str | None = None, progress: Progress = lambda _: None) -> Exported:
    """Export ``source`` into the bundle folder ``out``, which is replaced when everything went well.

    Raises:
        SourceError: ``source`` cannot be had or read.
        ExportError: a stage failed, or the graph is not the model.
    """
    checkpoint = open_checkpoint(source)
    progress(f"source: {checkpoint.name} ({checkpoint.source.license}), {source}")
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as scratch:
            return _convert(checkpoint, out, Path(scratch), target or cpu.detect_target(), progress)
    except OSError as error:
        raise ExportError(f"{out.parent}: {error.strerror or error}; nothing was left behind.") from error


def _convert(checkpoint: Checkpoint, out: Path, scratch: Path, target: str, progress: Progress) -> Exported:
    tokenizer, chat_template = checkpoint.load_tokenizer()
    fim, fim_tokens = find_format(tokenizer)
    progress(f"tokenizer: {tokenizer.get_vocab_size()} tokens, FIM {fim.order}")
    prompts = verify.sample_prompts(verify.plain_encoder(tokenizer), fim, _AGREEMENT_PROMPTS)

    model = checkpoint.load_model()
    config = model.config
    progress(f"checkpoint: {config.model_type}, {model.num_parameters() / 1e6:.0f}M parameters, FP32")
    expected = verify.torch_logits(model, prompts[:_PARITY_PROMPTS])
    (scratch / "traced").mkdir()
    traced = scratch / "traced" / GRAPH
    rotary = export_onnx(model, traced, config.max_position_embeddings)
    stop_tokens = find_stop_tokens(tokenizer, fim, _declared_stops(model.generation_config, config))
    kv = KvLayout(
        layers=config.num_hidden_layers,
        heads=config.num_key_value_heads,
        head_size=getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads,
    )
    del model
    gc.collect()
    progress("onnx: traced with fused attention")

    (scratch / "float").mkdir()
    float_graph = scratch / "float" / GRAPH
    lean = graph.optimise(traced, rotary)
    attention, nodes = len(graph.attention_nodes(lean.graph)), len(lean.graph)
    graph.save(lean, float_graph)
    del lean
    shutil.rmtree(traced.parent)
    progress(f"graph: {nodes} nodes, {attention} GroupQueryAttention for {kv.layers} layers")

    reference, difference = _reference_logits(float_graph, kv, prompts, expected)
    progress(f"parity: the FP32 graph is within {difference:.1e} of the checkpoint")

    bundle = scratch / "bundle"
    bundle.mkdir()
    recipe = Recipe(target)
    quantised = ir.load(float_graph)
    quantise(quantised, recipe)
    graph.save(quantised, bundle / GRAPH)
    del quantised
    shutil.rmtree(float_graph.parent)
    gc.collect()
    size = sum(file.stat().st_size for file in bundle.iterdir())
    progress(f"int8: {recipe.describe()['scheme']}, for {target}, {size / 1e6:.0f} MB")

    agreement = verify.compare(reference, verify.graph_logits(OnnxModel(bundle / GRAPH, kv), prompts))
    progress(
        f"verify: top-1 agreement with FP32 {agreement.top1:.4f}, mean KL {agreement.mean_kl:.4f}"
        f" on {agreement.positions} positions of {len(prompts)} FIM prompts"
    )
    _write_tokenizer(tokenizer, bundle / TOKENIZER)
    manifest = Manifest(
        format=FORMAT,
        made_by=f"midfill {__version__}",
        name=checkpoint.name,
        family=config.model_type,
        source=checkpoint.source,
        fim=fim,
        fim_tokens=fim_tokens,
        stop_tokens=stop_tokens,
        chat_template=chat_template,
        context_length=config.max_position_embeddings,
        vocabulary=config.vocab_size,
        kv=kv,
        quantisation=recipe.describe(),
        target=target,
        verification=Verification(
            graph_max_difference=difference,
            positions=agreement.positions,
            top1_agreement=agreement.top1,
            mean_kl=agreement.mean_kl,
        ),
        files=describe_files(bundle, [GRAPH, f"{GRAPH}.data", TOKENIZER]),
    )
    write_manifest(bundle, manifest)
    _put_in_place(bundle, out)
    return Exported(out, manifest, nodes, attention)


def _reference_logits(
    float_graph: Path, kv: KvLayout, prompts: list[list[int]], expected: list[Logits]
) -> tuple[list[Logits], float]:
    model = OnnxModel(float_graph, kv)
    reference = verify.graph_logits(model, prompts)
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


def _write_tokenizer(tokenizer: Tokenizer, path: Path) -> None:
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.save(str(path))


def _put_in_place(bundle: Path, out: Path) -> None:
    """Move the finished bundle to ``out``; an older one there is kept until the new one stands."""
    old = out.with_name(f".{out.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    bundle.rename(out)
    shutil.rmtree(old, ignore_errors=True)
