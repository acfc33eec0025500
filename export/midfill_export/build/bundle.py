"""A model in FP32 -> its bundle: calibrate, quantize to INT8, add grouped attention, verify, and put it in place.

``midfill pull``, ``midfill export`` and ``midfill tune`` all end here: the same model gives the same bundle.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import onnx_ir as ir

from midfill.inference.bundle import GRAPH, Manifest
from midfill.inference.onnx_model import OnnxModel
from midfill_export.build import verify
from midfill_export.build.bundle_folder import (
    Description,
    complete_bundle,
    folder_size,
    put_in_place,
    require_bundle_folder,
    scratch_beside,
)
from midfill_export.build.progress import OnStage
from midfill_export.graph.grouped_attention import add_grouped_attention
from midfill_export.graph.half_cache import halve_cache
from midfill_export.graph.nodes import save_graph
from midfill_export.quantization.calibrate import Moments, second_moments
from midfill_export.quantization.draft_graph import write_draft_graph
from midfill_export.quantization.quantize import Recipe, quantize
from midfill_export.quantization.rotate import can_rotate

_MIN_DRAFTED_BYTES = 1_000_000_000
"""Size of a model from which it gets a graph that drafts. A smaller one is fast enough without its memory."""


class FloatModel(Protocol):
    """A model in FP32, however its weights are held: on disk as a traced graph, or in a GGUF."""

    @property
    def description(self) -> Description:
        """What the bundle says of the model."""

    @property
    def difference(self) -> float:
        """Largest difference of a logit between the graph and the checkpoint it was made of."""

    def open_graph(self) -> ir.Model:
        """Return a graph that the caller may change.

        It is the graph of :func:`midfill_export.graph.optimize.optimize`. Its norms are folded
        (:func:`midfill_export.quantization.rotate.fold_norms`) where the model can be rotated.
        """

    def logits(self, samples: Sequence[verify.Sample]) -> list[verify.Logits]:
        """Return the logits (answer, V) of each sample."""


def build_bundle(
    model: FloatModel,
    out: Path,
    *,
    every_sample: int = 1,
    progress: OnStage = lambda _: None,
) -> Manifest:
    """Build the bundle ``out``. An older bundle there is replaced only when the whole new one is there.

    Args:
        model: The model.
        out: The bundle's folder.
        every_sample: Verify on every n-th sample only.
        progress: Called with a line after each stage.

    Raises:
        ExportError: the disk is full, or the folder cannot be written, or it has other files.
    """
    require_bundle_folder(out)
    description = model.description
    recipe = Recipe()
    with scratch_beside(out) as scratch:
        bundle = scratch / "bundle"
        bundle.mkdir()
        has_half_cache = write_int8(model, recipe, calibrate(model, progress), bundle / GRAPH)
        if has_half_cache:
            description = replace(description, kv=replace(description.kv, dtype="float16"))
        size = folder_size(bundle)
        progress(f"int8: {recipe.describe()['scheme']}, {size / 1e6:.0f} MB")
        if size >= _MIN_DRAFTED_BYTES:
            write_draft_graph(bundle)
            progress(f"drafts: 4 bits in blocks, {(folder_size(bundle) - size) / 1e6:.0f} MB more")
        samples = verification_samples(description)[::every_sample]
        agreement = measure_agreement(model.logits(samples), bundle, description, samples)
        progress(
            f"verify: top-1 agreement with FP32 {agreement.top1:.4f}, mean KL {agreement.mean_kl:.4f} on "
            f"{agreement.positions} tokens of {len(samples)} samples"
        )
        manifest = complete_bundle(description, bundle, recipe.describe(), model.difference, agreement)
        return put_in_place(bundle, manifest, out)


def calibrate(model: FloatModel, progress: OnStage) -> Moments:
    """Measure the activations of a model that can be rotated; nothing of another."""
    graph = model.open_graph()
    moments = Moments()
    if can_rotate(graph.graph):
        description = model.description
        prompts = verify.calibration_prompts(verify.plain_encoder(description.tokenizer), description.fim)
        moments = second_moments(graph, prompts, _quarters(progress))
    progress(f"calibration: the activations after {len(moments.covariances)} norms")
    return moments


def write_int8(model: FloatModel, recipe: Recipe, moments: Moments, path: Path) -> bool:
    """Write the INT8 graph of ``model`` to ``path``, its weights beside it; ``moments.covariances`` is emptied.

    Returns:
        Whether its KV cache is in 16 bits.
    """
    graph = model.open_graph()
    quantize(graph, recipe, moments)
    has_half_cache = halve_cache(graph.graph)
    add_grouped_attention(graph.graph)
    save_graph(graph, path)
    del graph
    gc.collect()
    return has_half_cache


def verification_samples(description: Description) -> list[verify.Sample]:
    """Return the samples that an INT8 graph of the model is verified on."""
    return verify.verification_samples(verify.plain_encoder(description.tokenizer), description.fim)


def measure_agreement(
    reference: Sequence[verify.Logits], folder: Path, description: Description, samples: Sequence[verify.Sample]
) -> verify.Agreement:
    """Compare the graph in ``folder`` with the reference's logits of the samples."""
    return verify.compare(reference, verify.graph_logits(OnnxModel(folder / GRAPH, description.kv), samples))


def _quarters(progress: OnStage) -> Callable[[float], None]:
    """Return what reports each finished quarter of the calibration but the last."""
    reported = 0

    def report(done: float) -> None:
        nonlocal reported
        if int(done * 4) > reported and done < 1:
            reported = int(done * 4)
            progress(f"calibration: {done:.0%}")

    return report
