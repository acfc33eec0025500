"""What the activations of a model look like on real code: the covariance of what each norm gives.

A second moment per norm is all that :mod:`midfill_export.rotate` needs; no gradient, no training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
from numpy.typing import NDArray
from onnx_ir.passes import common as passes

from midfill.bundle import KvLayout
from midfill_export.rotate import norms

_FIRST_TOKENS = 4
"""Left out: models park a constant there, hundreds of times larger than what comes after (arXiv:2402.17762)."""


def norm_covariances(
    float_graph: Path,
    kv: KvLayout,
    prompts: Sequence[Sequence[int]],
    progress: Callable[[float], None] = lambda _: None,
) -> dict[str, NDArray[np.float32]]:
    """Run ``prompts`` through an FP32 graph; return the sum of x x^T (width, width) by the name of each norm's output.

    Writes a graph that shows these outputs beside ``float_graph``, sharing its weights.
    """
    model = ir.load(float_graph)
    model.graph.outputs[:] = [norm.outputs[0] for norm in norms(model.graph)]
    names = [str(value.name) for value in model.graph.outputs]
    passes.RemoveUnusedNodesPass()(model)  # lm_head above all
    shown = float_graph.with_name("calibration.onnx")
    ir.save(model, shown)
    session = ort.InferenceSession(str(shown), providers=["CPUExecutionProvider"])
    sums: dict[str, NDArray[np.float32]] = {}
    for done, prompt in enumerate(prompts):
        for name, rows in zip(names, session.run(names, _feeds(session, kv, prompt)), strict=True):
            part = rows[0, _FIRST_TOKENS:] if rows.shape[1] > _FIRST_TOKENS else rows[0]
            sums[name] = sums.get(name, np.float32(0)) + part.T @ part
        progress((done + 1) / len(prompts))
    return sums


def _feeds(session: ort.InferenceSession, kv: KvLayout, prompt: Sequence[int]) -> dict[str, NDArray[np.generic]]:
    given: dict[str, NDArray[np.generic]] = {
        "input_ids": np.asarray([prompt], np.int64),
        "attention_mask": np.ones((1, len(prompt)), np.int64),
        "logit_rows": np.arange(len(prompt), dtype=np.int64),
    }
    empty = np.zeros((1, kv.heads, 0, kv.head_size), np.float32)
    return {value.name: given.get(value.name, empty) for value in session.get_inputs()}
