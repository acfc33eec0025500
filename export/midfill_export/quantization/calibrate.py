"""Measure the activations of a model on real code: the outputs of its norms, and how large each neuron of an MLP is.

Only second moments are computed, for :mod:`midfill_export.quantization.rotate`; there is no gradient and no training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from midfill_export.quantization.layerwise import prompt_feeds, run_in_pieces
from midfill_export.quantization.rotate import gated_products, norms

_FIRST_TOKENS = 4
"""They are left out: their activations are constant and hundreds of times larger than later ones (arXiv:2402.17762)."""


@dataclass(frozen=True)
class Moments:
    """Second moments, summed over tokens; both are empty for a model that cannot be rotated."""

    covariances: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    """x x^T (width, width) by the name of each norm's output."""
    squares: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    """x^2 (width,) by the name of the input of the last product of each gated MLP."""


def second_moments(
    model: ir.Model, prompts: Sequence[Sequence[int]], progress: Callable[[float], None] = lambda _: None
) -> Moments:
    """Run ``prompts`` through an FP32 graph in pieces and sum up the moments; ``model`` cannot be used afterwards."""
    normed = [norm.outputs[0] for norm in norms(model.graph)]
    gated = [value for down, _ in gated_products(model.graph) if (value := down.inputs[0]) is not None]
    moments = Moments()
    seen: dict[str, list[NDArray[np.float32]]] = {}

    def add(run: int, value: ir.Value, rows: NDArray[np.float32]) -> None:
        part, name = rows[0, _FIRST_TOKENS:] if rows.shape[1] > _FIRST_TOKENS else rows[0], str(value.name)
        if value not in normed:
            moments.squares[name] = moments.squares.get(name, np.float32(0)) + np.einsum("tn,tn->n", part, part)
            return
        seen.setdefault(name, []).append(part)
        if run == len(prompts) - 1:  # one product of all rows is much faster than one for each prompt
            together = np.concatenate(seen.pop(name))
            moments.covariances[name] = together.T @ together

    feeds = [prompt_feeds(model.graph, prompt, len(prompt)) for prompt in prompts]
    run_in_pieces(model, [*normed, *gated], feeds, add, progress)
    return moments
