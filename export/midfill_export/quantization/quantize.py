"""INT8: a scale per output channel for weights, a scale per row for activations, and rotations against outliers.

Every ``MatMul`` with constant weights becomes, for an input x of shape (1, S, K),

    r = max |x| over K                      one number per row
    q = round(x * 127 / r) + 128            uint8, zero point 128
    y = (q - 128) @ Wq * w_scale * r        ``MatMulIntegerToFloat`` accumulates in 32 bits

Where products saturate, the server rounds q to fewer bits (:mod:`midfill.inference.arithmetic`). So one bundle serves
every processor.

A factor of a whole row does not change the row's integers, only its scale. So ``up_proj`` is not multiplied by its r:
its product with the gate is quantized again, and r is multiplied into the scale of that row, one number instead of a
wide row.

Activations of many models have outliers, so the scale is per row, not per tensor: Qwen's next token is that of FP32 in
0.90 of all cases with one scale per tensor, and in 0.97 with one per row. Within a row, a block-diagonal Hadamard
matrix spreads outliers over a block. The weights are multiplied by its inverse, so the product stays the same (QuaRot,
arXiv:2404.00456, there with one full-width rotation). The input of ``down_proj`` is rotated like this, and the outputs
of the norms, after :mod:`midfill_export.quantization.rotate` has changed their basis to the principal axes.

``lm_head`` is in the graph twice, in 4 and in 8 bits (:mod:`midfill_export.quantization.shortlist`).

The embedding table is INT8 with a scale per token; its rows are rotated in the same blocks as the outputs of the norms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray
from onnx_ir.passes import common as passes

from midfill.inference.arithmetic import ROW_UNIT, ROW_ZERO_POINT
from midfill.inference.bundle import MAX_INT8
from midfill_export.graph.nodes import MICROSOFT, add_constant, insert, replace_value, weight_of
from midfill_export.quantization.calibrate import Moments
from midfill_export.quantization.rotate import (
    balance_gated,
    fitting_block,
    hadamard,
    norms,
    rotate,
    rotate_columns,
    rotate_rows,
)
from midfill_export.quantization.shortlist import insert_shortlisted_product

_MAX_COLUMNS = 8192
"""Most columns rounded at once, so that those of a vocabulary are not in memory several times in FP32."""


@dataclass(frozen=True)
class Recipe:
    """How to quantize; the manifest records it."""

    residual_block: int = 64
    """Block width of the rotation of the norms' outputs on the residual stream's principal axes; 0 for neither."""
    hadamard_block: int = 16
    """Block width of the rotation of ``down_proj``'s input; 0 for none."""
    balance_gated: bool = True
    """Whether the neurons of a gated MLP are scaled so that rounding loses least."""
    shortlist: int = 64
    """Number of tokens whose logits are computed in 8 bits, after all in 4 bits; 0 for 8 bits for all."""

    def describe(self) -> dict[str, Any]:
        """Return what goes into the manifest."""
        return {
            "scheme": "int8, weights per channel, activations per row",
            **asdict(self),
            "weight_limit": MAX_INT8,
            "embedding": "int8 per token",
        }


def quantize(
    model: ir.Model,
    recipe: Recipe,
    moments: Moments,
    progress: Callable[[float], None] = lambda _: None,
) -> None:
    """Rewrite ``model`` in place; only one weight at a time is in memory in FP32.

    Args:
        model: A graph of :func:`midfill_export.graph.optimize.optimize`.
        recipe: How to quantize.
        moments: Of the activations (:mod:`midfill_export.quantization.calibrate`); empty for a model that cannot be
            rotated. The covariances are removed from it when they are no longer needed.
        progress: Called after each product with the share that is done, 0 to 1.
    """
    graph = model.graph
    blocks: dict[ir.Value, int] = {}  # by value, the block width of its rotation before it is quantized
    residual_block = 1
    if recipe.residual_block and moments.covariances:
        residual_block = fitting_block(len(next(iter(moments.covariances.values()))), recipe.residual_block)
        rotate(model, moments.covariances, residual_block)
        moments.covariances.clear()
        for norm in norms(graph):
            normed = norm.outputs[0]
            blocks.update(dict.fromkeys((normed, *_chosen_rows(normed)), residual_block))
    if recipe.balance_gated and moments.squares:
        balance_gated(graph, moments.squares)
    # Listed before any rotation is inserted: a rotation stays in FP32.
    products = [(node, weight) for node in graph if (weight := weight_of(node)) is not None]
    quantize_embedding(graph, residual_block)
    rows = _RowQuantizer(graph)
    deferred: dict[ir.Value, ir.Value] = {}  # by value, the factors that its rows are not multiplied by yet
    # lm_head comes first, like the embedding: both are large, and nothing else is in memory yet.
    products.sort(key=lambda product: not product[0].outputs[0].is_graph_output())
    for done, (node, weight) in enumerate(products):
        hidden, matrix = node.inputs[0], _read(weight)
        assert hidden is not None
        if recipe.hadamard_block and "down_proj" in str(weight.name):
            blocks[hidden] = fitting_block(len(matrix), recipe.hadamard_block)
        block = blocks.get(hidden, 1)
        if block > 1:
            matrix = rotate_rows(matrix, hadamard(block))
        columns = quantize_columns(matrix)
        if recipe.shortlist and node.outputs[0].is_graph_output():
            turned = _rotate_blocks(graph, node, hidden, block, len(matrix))
            product = insert_shortlisted_product(graph, node, turned, str(weight.name), *columns, recipe.shortlist)
            replace_value(graph, node.outputs[0], product)
            continue
        quantized = rows.quantize(hidden, block, node, len(matrix))
        product = _insert_product(graph, node, quantized, str(weight.name), *columns)
        factor = deferred.get(hidden)
        scale = quantized.scale if factor is None else insert(graph, node, "Mul", quantized.scale, factor)
        if (gated := _gated(node)) is not None:
            deferred[gated] = scale
        else:
            product = insert(graph, node, "Mul", product, scale)
        replace_value(graph, node.outputs[0], product)
        progress((done + 1) / len(products))
    for tidy in (passes.RemoveUnusedNodesPass(), passes.TopologicalSortPass()):
        tidy(model)


def quantize_columns(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round (K, N) weights to integers of 8 bits; return them and the scale of each of the N columns."""
    integers, scales = np.empty(matrix.shape, np.int8), np.empty(matrix.shape[1], np.float32)
    for start in range(0, matrix.shape[1], _MAX_COLUMNS):
        part = slice(start, start + _MAX_COLUMNS)
        largest = np.abs(matrix[:, part]).max(axis=0)
        scales[part] = np.where(largest > 0, largest / MAX_INT8, 1)
        integers[:, part] = np.rint(matrix[:, part] / scales[part])
    return integers, scales


@dataclass(frozen=True)
class _QuantizedRows:
    integers: ir.Value  # uint8 (1, S, K)
    scale: ir.Value  # float32 (1, S, 1): the row's largest magnitude
    zero_point: ir.Value


class _RowQuantizer:
    """Inserts the nodes that quantize an activation, once for all products that read it."""

    def __init__(self, graph: ir.Graph) -> None:
        self._graph = graph
        self._done: dict[ir.Value, _QuantizedRows] = {}
        self._last_axis = add_constant(graph, "rows.axis", np.array([-1], np.int64))
        self._limit = add_constant(graph, "rows.limit", np.float32(MAX_INT8))
        self._unit = add_constant(graph, ROW_UNIT, np.float32(1))
        self._zero_point = add_constant(graph, ROW_ZERO_POINT, np.uint8(128))

    def quantize(self, hidden: ir.Value, block: int, before: ir.Node, width: int) -> _QuantizedRows:
        """Insert what quantizes ``hidden``, of this ``width``, after a rotation in blocks."""
        if hidden not in self._done:
            rotated = _rotate_blocks(self._graph, before, hidden, block, width)
            magnitude = self._add(before, "Abs", rotated)
            scale = self._add(before, "ReduceMax", magnitude, self._last_axis, keepdims=1)
            # A row of zeros becomes 0 * inf, whose integers are undefined; its scale of 0 makes the product zero.
            scaled = self._add(before, "Mul", rotated, self._add(before, "Div", self._limit, scale))
            integers = self._add(before, "QuantizeLinear", scaled, self._unit, self._zero_point)
            self._done[hidden] = _QuantizedRows(integers, scale, self._zero_point)
        return self._done[hidden]

    def _add(self, before: ir.Node, op_type: str, *inputs: ir.Value, **attributes: Any) -> ir.Value:
        return insert(self._graph, before, op_type, *inputs, **attributes)


def _insert_product(
    graph: ir.Graph,
    before: ir.Node,
    rows: _QuantizedRows,
    name: str,
    integers: NDArray[np.int8],
    scales: NDArray[np.float32],
) -> ir.Value:
    """Insert the product (1, S, N) of the quantized rows; its rows are not multiplied by their scales yet."""
    node = ir.node(
        "MatMulIntegerToFloat",
        [
            rows.integers,
            add_constant(graph, f"{name}.int8", integers),
            graph.initializers[ROW_UNIT],
            # A row's scale is its largest magnitude, not its step.
            add_constant(graph, f"{name}.scale", scales / MAX_INT8),
            rows.zero_point,
        ],
        domain=MICROSOFT,
        name=before.name,
    )
    graph.insert_before(before, node)
    return node.outputs[0]


def _gated(product: ir.Node) -> ir.Value | None:
    """Return ``product * gate`` if nothing else reads the product, and only another product reads the result."""
    value = product.outputs[0]
    for op_type in ("Mul", "MatMul"):
        users = [node for node, _ in value.uses()]
        if value.is_graph_output() or len(users) != 1 or users[0].op_type != op_type:
            return None
        gated, value = value, users[0].outputs[0]
    return gated


def _chosen_rows(value: ir.Value) -> list[ir.Value]:
    """Return the values that are selected rows of ``value``."""
    return [node.outputs[0] for node, _ in value.uses() if node.op_type == "Gather"]


def _rotate_blocks(graph: ir.Graph, before: ir.Node, hidden: ir.Value, block: int, width: int) -> ir.Value:
    """Insert (1, S, K) -> (1, S, K / B, B) @ Hadamard -> (1, S, K), where K is ``width``; nothing for blocks of one."""
    if block == 1:
        return hidden

    def constant(name: str, array: NDArray[Any]) -> ir.Value:
        return graph.initializers.get(name) or add_constant(graph, name, array)

    blocks = constant(f"rotation.split.{width}.{block}", np.array([0, 0, width // block, block], np.int64))
    split = insert(graph, before, "Reshape", hidden, blocks)
    turned = insert(graph, before, "MatMul", split, constant(f"rotation.{block}", hadamard(block)))
    return insert(
        graph, before, "Reshape", turned, constant(f"rotation.join.{width}", np.array([0, 0, width], np.int64))
    )


def quantize_embedding(graph: ir.Graph, block: int) -> None:
    """Replace the embedding by one of INT8 with a scale per token; its rows are rotated in blocks of this width."""
    table = next(
        (
            node
            for node in graph
            if node.op_type == "Gather"
            and node.inputs[0] is not None
            and node.inputs[0].is_initializer()
            and node.inputs[1] is not None
            and node.inputs[1].name == "input_ids"
        ),
        None,
    )
    if table is None:
        return
    weight, ids = table.inputs
    assert weight is not None
    matrix = rotate_columns(_read(weight), hadamard(block))  # (V, H)
    integers, scales = quantize_columns(matrix.T)
    tokens = ir.node("Gather", [add_constant(graph, f"{weight.name}.int8", integers.T), ids])
    steps = ir.node("Gather", [add_constant(graph, f"{weight.name}.scale", scales[:, None]), ids])
    real = ir.node("Cast", [tokens.outputs[0]], attributes={"to": ir.DataType.FLOAT})
    product = ir.node("Mul", [real.outputs[0], steps.outputs[0]])
    for node in (tokens, steps, real, product):
        graph.insert_before(table, node)
    row = _rotate_blocks(graph, table, product.outputs[0], block, matrix.shape[1])
    replace_value(graph, table.outputs[0], row)


def _read(value: ir.Value) -> NDArray[np.float32]:
    assert value.const_value is not None
    return np.asarray(value.const_value.numpy(), np.float32)
