"""``lm_head`` in 4 bits for all tokens, and in 8 bits for those few that are likeliest by the 4.

It is more than a quarter of what a lone token reads (Qwen2.5-Coder-0.5B), and all but a few of its logits say no more
than that a token is unlikely. So it is there twice: of the 8-bit table only the rows of the likeliest tokens are looked
up and multiplied again, with an input that is not rounded.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from midfill_export.graph.nodes import MICROSOFT, add_constant, insert

_COLUMNS_AT_ONCE = 8192
"""So that a vocabulary's worth of columns is not held several times over in FP32."""
_INT8_ACCUMULATION = 4
"""``accuracy_level``: the input is rounded to 8 bits, too."""
_ROUGH_BLOCK = 128
"""How many weights of a column in 4 bits share a scale, and how many numbers of their input."""


def insert_shortlisted_product(
    graph: ir.Graph,
    before: ir.Node,
    hidden: ir.Value,
    name: str,
    integers: NDArray[np.int8],
    scales: NDArray[np.float32],
    shortlist: int,
) -> ir.Value:
    """Return the product (1, S, N) of ``hidden`` with columns in 4 bits, the largest of each row computed in 8."""

    def add(op_type: str, *inputs: ir.Value, **attributes: Any) -> ir.Value:
        return insert(graph, before, op_type, *inputs, **attributes)

    weights, steps = in_four_bits(integers, scales, _ROUGH_BLOCK)
    rough = ir.node(
        "MatMulNBits",
        [hidden, add_constant(graph, f"{name}.uint4", weights), add_constant(graph, f"{name}.uint4.scale", steps)],
        attributes={
            "K": integers.shape[0],
            "N": integers.shape[1],
            "bits": 4,
            "block_size": _ROUGH_BLOCK,
            "accuracy_level": _INT8_ACCUMULATION,
        },
        domain=MICROSOFT,
        name=before.name,
    )
    likeliest = ir.node(
        "TopK",
        [rough.outputs[0], add_constant(graph, "shortlist.length", np.array([min(shortlist, len(scales))], np.int64))],
        attributes={"sorted": 0},
        num_outputs=2,
    )
    for node in (rough, likeliest):
        graph.insert_before(before, node)
    tokens = likeliest.outputs[1]  # (1, S, L)
    last_axis = add_constant(graph, "shortlist.axis", np.array([-1], np.int64))
    table = add_constant(graph, f"{name}.int8", np.ascontiguousarray(integers.T))
    rows = add("Cast", add("Gather", table, tokens), to=ir.DataType.FLOAT)  # (1, S, L, K)
    products = add("Squeeze", add("MatMul", rows, add("Unsqueeze", hidden, last_axis)), last_axis)
    exact = add("Mul", products, add("Gather", add_constant(graph, f"{name}.int8.scale", scales), tokens))
    return add("ScatterElements", rough.outputs[0], tokens, exact, axis=-1)


def in_four_bits(
    integers: NDArray[np.int8], scales: NDArray[np.float32], block: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Round (K, N) integers, with a scale for each of N columns, to 4 bits, laid out as ``MatMulNBits`` reads them.

    Returns:
        Pairs of numbers with zero point 8, the first one in the lower half (N, K / block, block / 2), the last block
        filled up with zeros; and a scale for each block (N, K / block).
    """
    rows, columns = integers.shape
    count = -(-rows // block)
    packed = np.empty((columns, count, block // 2), np.uint8)
    steps = np.empty((columns, count), np.float32)
    for start in range(0, columns, _COLUMNS_AT_ONCE):
        part = slice(start, start + _COLUMNS_AT_ONCE)
        blocks = np.zeros((len(steps[part]), count * block), np.float32)
        blocks[:, :rows] = integers[:, part].T
        blocks = blocks.reshape(-1, count, block)
        step = np.abs(blocks).max(axis=2) / 7.5  # from -8 to 7: the largest of one sign loses half a step, at most
        step[step == 0] = 1
        nibbles = (np.clip(np.rint(blocks / step[:, :, None]), -8, 7) + 8).astype(np.uint8)
        packed[part] = nibbles[:, :, ::2] | nibbles[:, :, 1::2] << 4
        steps[part] = step * scales[part, None]
    return packed, steps
