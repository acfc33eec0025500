"""``lm_head`` in 4 bits for all tokens, and in 8 bits for the few that are likeliest according to the 4 bits.

``lm_head`` is more than a quarter of the weights that one decoding step reads (Qwen2.5-Coder-0.5B), and nearly all
tokens are unlikely. So the weights are stored twice. All logits are computed in 4 bits. Then the rows of the likeliest
tokens are looked up in the 8-bit table, and their logits are computed again, with an input that is not rounded.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from midfill_export.graph.nodes import MICROSOFT, add_constant, insert

_MAX_COLUMNS = 8192
"""Most columns rounded at once, so that those of a vocabulary are not in memory several times in FP32."""
_INT8_ACCUMULATION = 4
"""The ``accuracy_level`` with which the operator rounds its input to 8 bits."""
_BLOCK = 128
"""Number of 4-bit weights of a column, and of numbers of the input, that share a scale."""


def insert_shortlisted_product(
    graph: ir.Graph,
    before: ir.Node,
    hidden: ir.Value,
    name: str,
    integers: NDArray[np.int8],
    scales: NDArray[np.float32],
    shortlist: int,
) -> ir.Value:
    """Insert the product (1, S, N) of ``hidden`` in 4 bits, with the ``shortlist`` largest of each row in 8 bits."""

    def add(op_type: str, *inputs: ir.Value, **attributes: Any) -> ir.Value:
        return insert(graph, before, op_type, *inputs, **attributes)

    rough = insert_four_bit_product(graph, before, hidden, name, integers, scales)
    likeliest = ir.node(
        "TopK",
        [rough, add_constant(graph, "shortlist.length", np.array([min(shortlist, len(scales))], np.int64))],
        attributes={"sorted": 0},
        num_outputs=2,
    )
    graph.insert_before(before, likeliest)
    tokens = likeliest.outputs[1]  # (1, S, L)
    last_axis = add_constant(graph, "shortlist.axis", np.array([-1], np.int64))
    table = add_constant(graph, f"{name}.int8", np.ascontiguousarray(integers.T))
    rows = add("Cast", add("Gather", table, tokens), to=ir.DataType.FLOAT)  # (1, S, L, K)
    products = add("Squeeze", add("MatMul", rows, add("Unsqueeze", hidden, last_axis)), last_axis)
    exact = add("Mul", products, add("Gather", add_constant(graph, f"{name}.int8.scale", scales), tokens))
    return add("ScatterElements", rough, tokens, exact, axis=-1)


def insert_four_bit_product(
    graph: ir.Graph,
    before: ir.Node,
    hidden: ir.Value,
    name: str,
    integers: NDArray[np.int8],
    scales: NDArray[np.float32],
) -> ir.Value:
    """Insert the product (1, S, N) of ``hidden`` with (K, N) integers, rounded to 4 bits; each column has a scale."""
    weights, steps = in_four_bits(integers, scales, _BLOCK)
    product = ir.node(
        "MatMulNBits",
        [hidden, add_constant(graph, f"{name}.uint4", weights), add_constant(graph, f"{name}.uint4.scale", steps)],
        attributes={
            "K": integers.shape[0],
            "N": integers.shape[1],
            "bits": 4,
            "block_size": _BLOCK,
            "accuracy_level": _INT8_ACCUMULATION,
        },
        domain=MICROSOFT,
        name=before.name,
    )
    graph.insert_before(before, product)
    return product.outputs[0]


def in_four_bits(
    integers: NDArray[np.int8], scales: NDArray[np.float32], block: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Round (K, N) integers, with a scale for each of the N columns, to 4 bits, in the layout of ``MatMulNBits``.

    Returns:
        Bytes (N, K / block, block / 2) of two numbers each, with zero point 8 and the first number in the lower half;
        the last block is padded with zeros. And a scale for each block (N, K / block).
    """
    rows, columns = integers.shape
    count = -(-rows // block)
    packed = np.empty((columns, count, block // 2), np.uint8)
    steps = np.empty((columns, count), np.float32)
    for start in range(0, columns, _MAX_COLUMNS):
        part = slice(start, start + _MAX_COLUMNS)
        blocks = np.zeros((len(steps[part]), count * block), np.float32)
        blocks[:, :rows] = integers[:, part].T
        blocks = blocks.reshape(-1, count, block)
        step = (
            np.abs(blocks).max(axis=2) / 7.5
        )  # numbers are -8 to 7: the largest positive one loses half a step at most
        step[step == 0] = 1
        nibbles = (np.clip(np.rint(blocks / step[:, :, None]), -8, 7) + 8).astype(np.uint8)
        packed[part] = nibbles[:, :, ::2] | nibbles[:, :, 1::2] << 4
        steps[part] = step * scales[part, None]
    return packed, steps
