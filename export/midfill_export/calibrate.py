"""What the activations of a model look like on real code: what the norms give, and how loud each neuron of an MLP is.

Second moments are all that :mod:`midfill_export.rotate` and :mod:`midfill_export.gptq` need; no gradient, no training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
from numpy.typing import NDArray
from onnx_ir.passes import common as passes

from midfill.bundle import KvLayout
from midfill_export.rotate import gated_products, norms

_FIRST_TOKENS = 4
"""Left out: models park a constant there, hundreds of times larger than what comes after (arXiv:2402.17762)."""


@dataclass(frozen=True)
class Moments:
    """Second moments, summed over tokens; both empty for a model that cannot be rotated."""

    covariances: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    """x x^T (width, width) by the name of each norm's output."""
    squares: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    """x^2 (width,) by the name of the input of each product that ends a gated MLP."""


def second_moments(
    float_graph: Path,
    kv: KvLayout,
    prompts: Sequence[Sequence[int]],
    progress: Callable[[float], None] = lambda _: None,
) -> Moments:
    """Run ``prompts`` through an FP32 graph and sum up what is seen.

    Writes a graph that shows these outputs beside ``float_graph``, sharing its weights.
    """
    model = ir.load(float_graph)
    normed = [norm.outputs[0] for norm in norms(model.graph)]
    gated = [value for down, _ in gated_products(model.graph) if (value := down.inputs[0]) is not None]
    model.graph.outputs[:] = [*normed, *gated]
    names = [str(value.name) for value in model.graph.outputs]
    passes.RemoveUnusedNodesPass()(model)  # lm_head above all
    shown = float_graph.with_name("calibration.onnx")
    ir.save(model, shown)
    session = ort.InferenceSession(str(shown), providers=["CPUExecutionProvider"])
    moments = Moments()
    for done, prompt in enumerate(prompts):
        for index, rows in enumerate(session.run(names, _feeds(session, kv, prompt))):
            part, name = rows[0, _FIRST_TOKENS:] if rows.shape[1] > _FIRST_TOKENS else rows[0], names[index]
            if index < len(normed):
                moments.covariances[name] = moments.covariances.get(name, np.float32(0)) + part.T @ part
            else:
                moments.squares[name] = moments.squares.get(name, np.float32(0)) + np.square(part).sum(axis=0)
        progress((done + 1) / len(prompts))
    return moments


def _feeds(session: ort.InferenceSession, kv: KvLayout, prompt: Sequence[int]) -> dict[str, NDArray[np.generic]]:
    given: dict[str, NDArray[np.generic]] = {
        "input_ids": np.asarray([prompt], np.int64),
        "attention_mask": np.ones((1, len(prompt)), np.int64),
        "logit_rows": np.arange(len(prompt), dtype=np.int64),
    }
    empty = np.zeros((1, kv.heads, 0, kv.head_size), np.float32)
    return {value.name: given.get(value.name, empty) for value in session.get_inputs()}
