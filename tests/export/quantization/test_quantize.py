"""INT8 with a scale per column and per row keeps products close to those of FP32."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest

from export.quantization.graphs import quantized_product, run
from midfill_export.graph import nodes
from midfill_export.quantization.quantize import Recipe, quantize_columns, quantize_embedding

RANDOM = np.random.default_rng(7)


def test_columns_round_to_their_own_step() -> None:
    """Each column's largest weight becomes 127, and no weight moves by more than half a step."""
    matrix = RANDOM.standard_normal((40, 6)).astype(np.float32) * [0.01, 1, 10, 1, 1, 1]
    integers, scales = quantize_columns(matrix.astype(np.float32))
    assert (np.abs(integers).max(axis=0) == 127).all()
    assert (np.abs(integers * scales - matrix) <= scales * 0.501).all()


def test_column_of_zeros_stays_zero() -> None:
    """A column without weights does not divide by zero."""
    integers, scales = quantize_columns(np.zeros((4, 2), np.float32))
    assert not integers.any()
    assert np.isfinite(scales).all()


@pytest.mark.parametrize("bits", [8, 7])
def test_product_is_close_row_by_row(bits: int) -> None:
    """One row's outlier does not cost the other rows their precision, as one scale a tensor would."""
    weight = RANDOM.standard_normal((64, 16)).astype(np.float32)
    hidden = RANDOM.standard_normal((1, 3, 64)).astype(np.float32)
    hidden[0, 1] *= 1000
    product = run(quantized_product(weight, Recipe()), hidden, bits)
    exact = hidden @ weight
    for row in range(3):
        error = np.abs(product[0, row] - exact[0, row]).max() / np.abs(exact[0, row]).max()
        assert error < 0.03


def test_row_of_zeros_gives_zeros() -> None:
    """A row without activation is not divided by its largest one."""
    quantized = quantized_product(np.ones((8, 4), np.float32), Recipe())
    product = run(quantized, np.zeros((1, 2, 8), np.float32))
    assert not product.any()


def test_embedding_is_stored_rotated() -> None:
    """Rows with an outlier on one axis are closer to FP32 than those of a table that is not rotated."""
    table = RANDOM.standard_normal((10, 64)).astype(np.float32)
    table[:, 3] += 100
    ids = np.array([[0, 7, 3]], np.int64)
    errors = []
    for block in (1, 64):
        given = run(_embedding(table, block), ids, name="input_ids")
        errors.append(np.abs(given - table[ids]).mean())
    assert errors[1] < 0.5 * errors[0]


def _embedding(table: np.ndarray, block: int) -> ir.Model:
    ids = ir.Value(name="input_ids", shape=ir.Shape([1, "rows"]), type=ir.TensorType(ir.DataType.INT64))
    holder = ir.Graph([ids], [], nodes=[], opset_imports={"": 18, nodes.MICROSOFT: 1})
    lookup = ir.node("Gather", [nodes.add_constant(holder, "table", table), ids])
    holder.append(lookup)
    lookup.outputs[0].name = "product"
    lookup.outputs[0].type = ir.TensorType(ir.DataType.FLOAT)
    lookup.outputs[0].shape = ir.Shape([1, "rows", table.shape[1]])
    holder.outputs.append(lookup.outputs[0])
    quantize_embedding(holder, block)
    return ir.Model(holder, ir_version=10)
