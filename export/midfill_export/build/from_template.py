"""Pulled weights -> bundle, with a template instead of torch: the same bundle that ``midfill export`` would make.

Weights are dequantised a piece or a matrix at a time, so that the FP32 model is never in memory, nor on disk.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

import onnx_ir as ir

from midfill.common.errors import BundleError
from midfill.inference import cpu
from midfill.inference.bundle import GRAPH, KvLayout, Manifest, load_bundle
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
from midfill_export.loaders import template
from midfill_export.loaders.formats import find_format, find_stop_tokens
from midfill_export.loaders.gguf_file import GgufFile, open_gguf
from midfill_export.loaders.gguf_tokenizer import read_tokenizer
from midfill_export.quantization.calibrate import second_moments
from midfill_export.quantization.quantize import Recipe
from midfill_export.quantization.rotate import fold_norms
from midfill_export.weights.known_models import Weights

_EVERY_SAMPLE = 4
"""Of those that an export is verified on: the recipe was examined then, this is the same one on another machine."""


def is_prepared(weights: Weights, out: Path) -> bool:
    """Tell whether ``out`` is a whole bundle of these weights by today's recipe, for this kind of processor."""
    recipe = Recipe(cpu.detect_target())
    try:
        made = load_bundle(out).manifest
    except BundleError:
        return False
    return (made.source.sha256, made.quantisation) == (weights.sha256, recipe.describe())


def prepare(weights: Weights, path: Path, out: Path, progress: OnStage = lambda _: None) -> Manifest:
    """Make the bundle folder ``out`` of pulled weights; it is replaced when everything went well.

    Args:
        weights: What they are.
        path: The GGUF file.
        out: The bundle's folder.
        progress: Told a line after each stage.

    Raises:
        SourceError: the weights cannot be read.
        ExportError: the template is not theirs, or the disk is full.
    """
    gguf = open_gguf(path)
    about = describe(weights, gguf)
    progress(f"tokenizer: {about.tokenizer.get_vocab_size()} tokens, {about.fim}")
    recipe = Recipe(cpu.detect_target())
    encode = verify.plain_encoder(about.tokenizer)

    def float_model() -> ir.Model:
        model = template.fill(weights.template, gguf)
        fold_norms(model.graph)
        return model

    with scratch_beside(out) as scratch:
        bundle = scratch / "bundle"
        bundle.mkdir()
        moments = second_moments(float_model(), verify.calibration_prompts(encode, about.fim), _quarters(progress))
        progress(f"calibration: the activations after {len(moments.covariances)} norms")
        write_int8(float_model(), recipe, moments, bundle / GRAPH)
        del moments
        gc.collect()
        progress(f"int8: {recipe.describe()['scheme']}, for {recipe.target}, {folder_size(bundle) / 1e6:.0f} MB")
        samples = verify.verification_samples(encode, about.fim)[::_EVERY_SAMPLE]
        reference = verify.float_logits(float_model(), samples)
        given = verify.graph_logits(OnnxModel(bundle / GRAPH, about.kv), samples)
        agreement = verify.compare(reference, given)
        progress(
            f"verify: top-1 agreement with FP32 {agreement.top1:.4f}, mean KL {agreement.mean_kl:.4f} on "
            f"{agreement.positions} tokens cut out of {len(samples)} places"
        )
        difference = template.difference_of(weights.template)
        manifest = complete_bundle(about, bundle, recipe.describe(), recipe.target, difference, agreement)
        put_in_place(bundle, out)
    return manifest


def describe(weights: Weights, gguf: GgufFile) -> Description:
    """Return all that a GGUF says of its model.

    Raises:
        SourceError: it does not say what is needed, or not in a way known here.
    """
    tokenizer = read_tokenizer(gguf)
    fim, fim_tokens = find_format(tokenizer)
    family = gguf.text("general.architecture") or ""
    heads = gguf.number(f"{family}.attention.head_count")
    declared = gguf.fields.get("tokenizer.ggml.eos_token_id")
    return Description(
        name=weights.title,
        family=family,
        source=weights.origin,
        tokenizer=tokenizer,
        chat_template=gguf.text("tokenizer.chat_template") or "",
        fim=fim,
        fim_tokens=fim_tokens,
        stop_tokens=find_stop_tokens(tokenizer, fim, [declared] if isinstance(declared, int) else []),
        context_length=gguf.number(f"{family}.context_length"),
        vocabulary=len(gguf.fields["tokenizer.ggml.tokens"]),
        kv=KvLayout(
            layers=gguf.number(f"{family}.block_count"),
            heads=gguf.number(f"{family}.attention.head_count_kv"),
            head_size=gguf.number(f"{family}.embedding_length") // heads,
        ),
    )


def _quarters(progress: OnStage) -> Callable[[float], None]:
    """Tell whenever another quarter of a stage is done."""
    told = 0

    def tell(done: float) -> None:
        nonlocal told
        if int(done * 4) > told and done < 1:
            told = int(done * 4)
            progress(f"calibration: {done:.0%}")

    return tell
