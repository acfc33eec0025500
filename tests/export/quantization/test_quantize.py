"""INT8 that keeps the model: scales per column and per row, and rotations that are their own undoing."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest

from midfill.inference.onnx_model import ort
from midfill_export.graph import nodes
from midfill_export.quantization.calibrate import Moments
from midfill_export.quantization.quantize import Recipe, quantize, quantize_columns, quantize_embedding
from midfill_export.quantization.rotate import (
    balance,
    balance_gated,
    fitting_block,
    gated_products,
    hadamard,
    interleaved,
    principal_axes,
    rotate_columns,
    rotate_rows,
)
from midfill_export.quantization.shortlist import in_four_bits

RANDOM = np.random.default_rng(7)


def test_columns_round_to_their_own_step() -> None:
    """Each column's largest weight becomes the limit, and no weight moves by more than half a step."""
    matrix = RANDOM.standard_normal((40, 6)).astype(np.float32) * [0.01, 1, 10, 1, 1, 1]
    integers, scales = quantize_columns(matrix.astype(np.float32), 127)
    assert (np.abs(integers).max(axis=0) == 127).all()
    assert (np.abs(integers * scales - matrix) <= scales * 0.501).all()


def test_column_of_zeros_stays_zero() -> None:
    """A column without weights does not divide by zero."""
    integers, scales = quantize_columns(np.zeros((4, 2), np.float32), 127)
    assert not integers.any()
    assert np.isfinite(scales).all()


def test_avx2_uses_seven_bits() -> None:
    """Where pairs of products saturate at 16 bits, 255 * limit * 2 must stay below 32,768."""
    assert Recipe("avx2").weight_limit * 255 * 2 < 1 << 15
    assert Recipe("vnni").weight_limit == Recipe("arm64").weight_limit == 127


@pytest.mark.parametrize("size", [1, 2, 64, 256])
def test_hadamard_is_its_own_inverse(size: int) -> None:
    """Rotating twice gives back what was rotated."""
    matrix = hadamard(size)
    assert np.abs(matrix @ matrix - np.eye(size)).max() < 1e-5


def test_hadamard_refuses_other_sizes() -> None:
    """Only powers of two have a Sylvester matrix."""
    with pytest.raises(ValueError, match="power of two"):
        hadamard(12)


def test_rotated_operands_have_the_same_product() -> None:
    """Rotating an activation's blocks and a weight's rows leaves their product as it was."""
    hidden = RANDOM.standard_normal((3, 32)).astype(np.float32)
    weight = RANDOM.standard_normal((32, 5)).astype(np.float32)
    turn = np.linalg.qr(RANDOM.standard_normal((8, 8)))[0].astype(np.float32)
    assert np.abs(rotate_columns(hidden, turn) @ rotate_rows(weight, turn) - hidden @ weight).max() < 1e-4


def test_principal_axes_are_orthonormal_and_ordered() -> None:
    """The axis along which most was seen comes first, and the axes only turn."""
    seen = RANDOM.standard_normal((500, 6)).astype(np.float32) * np.array([1, 1, 1, 50, 1, 1], np.float32)
    axes = principal_axes([seen.T @ seen])
    assert np.abs(axes.T @ axes - np.eye(6)).max() < 1e-5
    assert abs(axes[3, 0]) > 0.99


def test_largest_axes_are_in_different_blocks() -> None:
    """The first axes, the largest, come to stand in blocks of their own."""
    order = interleaved(12, 4)
    assert sorted(order) == list(range(12))
    assert {int(np.flatnonzero(order == axis)[0]) // 4 for axis in range(3)} == {0, 1, 2}


def test_balance_gives_the_smallest_loss() -> None:
    """No other steps near by lose less: activations and weights are rounded to their own largest value."""
    variances, lengths = RANDOM.uniform(0.01, 9, 20).astype(np.float32), RANDOM.uniform(0.5, 2, 20).astype(np.float32)

    def loss(steps: np.ndarray) -> float:
        return float((lengths * steps**2).sum() * (variances / steps**2).sum())

    best = balance(variances, lengths)
    assert loss(best) < loss(np.ones(20))
    for _ in range(20):
        assert loss(best) <= loss(best * RANDOM.uniform(0.9, 1.1, 20)) * (1 + 1e-6)


@pytest.mark.parametrize(("width", "at_most", "block"), [(896, 64, 64), (896, 256, 128), (4864, 16, 16), (33, 64, 1)])
def test_block_divides_the_width(width: int, at_most: int, block: int) -> None:
    """Blocks are powers of two that fit; an odd width has none, and is left as it is."""
    assert fitting_block(width, at_most) == block


@pytest.mark.parametrize("target", ["vnni", "avx2"])
def test_product_is_close_row_by_row(target: str) -> None:
    """One row's outlier does not cost the other rows their precision, as one scale a tensor would."""
    weight = RANDOM.standard_normal((64, 16)).astype(np.float32)
    hidden = RANDOM.standard_normal((1, 3, 64)).astype(np.float32)
    hidden[0, 1] *= 1000
    product = _run(_quantized(weight, Recipe(target)), hidden)
    exact = hidden @ weight
    for row in range(3):
        error = np.abs(product[0, row] - exact[0, row]).max() / np.abs(exact[0, row]).max()
        assert error < 0.03


def test_row_of_zeros_gives_zeros() -> None:
    """A row without activation is not divided by its largest one."""
    quantized = _quantized(np.ones((8, 4), np.float32), Recipe("vnni"))
    product = _run(quantized, np.zeros((1, 2, 8), np.float32))
    assert not product.any()


@pytest.mark.parametrize("width", [64, 80])
def test_four_bits_are_close(width: int) -> None:
    """No weight is further off than a step, most no more than half of one; what fills up the last block is nothing."""
    integers, scales = quantize_columns(RANDOM.standard_normal((width, 6)).astype(np.float32), 127)
    packed, steps = in_four_bits(integers, scales, 32)
    nibbles = np.stack([packed & 15, packed >> 4], axis=-1).reshape(6, -1, 32).astype(np.float32) - 8
    restored = (nibbles * steps[:, :, None]).reshape(6, -1).T
    errors = np.abs(restored[:width] - integers * scales) / np.repeat(steps, 32, axis=1).T[:width]
    assert errors.max() <= 0.51
    assert not restored[width:].any()


def test_likeliest_of_the_head_are_computed_in_eight_bits() -> None:
    """The largest logits are closer than those of 8 bits for weights and input; the others are of 4 bits."""
    weight = RANDOM.standard_normal((256, 400)).astype(np.float32)
    hidden = RANDOM.standard_normal((1, 6, 256)).astype(np.float32)
    exact = hidden @ weight
    likeliest = np.argsort(-exact, axis=-1)[:, :, :10]

    def errors(shortlist: int) -> np.ndarray:
        return np.abs(_run(_quantized(weight, Recipe("vnni", shortlist=shortlist, residual_block=0)), hidden) - exact)

    again, plain = errors(64), errors(0)
    assert np.take_along_axis(again, likeliest, -1).mean() < np.take_along_axis(plain, likeliest, -1).mean()
    assert again.mean() > 3 * plain.mean()


def test_head_of_few_tokens_is_computed_whole() -> None:
    """A vocabulary shorter than the list is all on it; no row gives no row."""
    weight = RANDOM.standard_normal((64, 20)).astype(np.float32)
    hidden = RANDOM.standard_normal((1, 2, 64)).astype(np.float32)
    model = _quantized(weight, Recipe("vnni", residual_block=0))
    assert np.abs(_run(model, hidden) - hidden @ weight).max() < 0.3
    assert _run(model, hidden[:, :0]).shape == (1, 0, 20)


def test_even_numbers_of_rows_of_the_head_are_the_same_to_the_bit() -> None:
    """The model pads a lone row and a last odd row, because both take another kernel."""
    weight = RANDOM.standard_normal((256, 640)).astype(np.float32)
    hidden = RANDOM.standard_normal((1, 18, 256)).astype(np.float32)
    model = _quantized(weight, Recipe("vnni"))
    together = _run(model, hidden)
    for rows in range(2, 18, 2):
        for first in range(0, 18 - rows, 3):
            part = slice(first, first + rows)
            assert (_run(model, hidden[:, part]) == together[:, part]).all(), (first, rows)


def test_embedding_is_held_rotated() -> None:
    """Tokens that all stick out along one axis come back close, as they do not from a table rounded as it stands."""
    table = RANDOM.standard_normal((10, 64)).astype(np.float32)
    table[:, 3] += 100
    ids = np.array([[0, 7, 3]], np.int64)
    errors = []
    for block in (1, 64):
        given = _run(_embedding(table, block), ids, "input_ids")
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


def test_balanced_gate_is_the_same_function() -> None:
    """``up`` divided by a factor a neuron and ``down`` multiplied by it give what they gave; the gate is left alone."""
    model, weights = _gated_mlp()
    hidden = RANDOM.standard_normal((1, 3, 8)).astype(np.float32)
    before = _run(model, hidden)
    balance_gated(model.graph, {"gated": RANDOM.uniform(0.01, 100, 12).astype(np.float32)})
    held = {name: np.asarray(model.graph.initializers[name].const_value.numpy()) for name in weights}
    assert (held["gate"] == weights["gate"]).all()
    assert np.abs(held["up"] / weights["up"] - 1).max() > 0.1
    assert np.abs(_run(model, hidden) - before).max() < 1e-3


def test_gated_products_are_found() -> None:
    """The product behind ``up * gate`` is found with ``up``, not with the gate that its sigmoid reads too."""
    model, _ = _gated_mlp()
    assert [(str(down.name), str(up.name)) for down, up in gated_products(model.graph)] == [("down", "up")]


def _gated_mlp() -> tuple[ir.Model, dict[str, np.ndarray]]:
    """Return down(up(x) * silu(gate(x))), 8 wide with 12 neurons, and its weights."""
    shapes = {"gate": (8, 12), "up": (8, 12), "down": (12, 8)}
    weights = {name: RANDOM.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    hidden = ir.Value(name="hidden", shape=ir.Shape([1, "rows", 8]), type=ir.TensorType(ir.DataType.FLOAT))
    holder = ir.Graph([hidden], [], nodes=[], opset_imports={"": 18, nodes.MICROSOFT: 1})

    def add(op_type: str, *inputs: ir.Value, name: str | None = None) -> ir.Value:
        node = ir.node(op_type, inputs, name=name)
        holder.append(node)
        return node.outputs[0]

    def product(value: ir.Value, name: str) -> ir.Value:
        return add("MatMul", value, nodes.add_constant(holder, name, weights[name]), name=name)

    gate, up = product(hidden, "gate"), product(hidden, "up")
    gated = add("Mul", add("Mul", gate, add("Sigmoid", gate)), up)
    gated.name = "gated"
    down = product(gated, "down")
    down.name, down.type = "product", ir.TensorType(ir.DataType.FLOAT)
    down.shape = ir.Shape([1, "rows", 8])
    holder.outputs.append(down)
    return ir.Model(holder, ir_version=10), weights


def _quantized(weight: np.ndarray, recipe: Recipe) -> ir.Model:
    hidden = ir.Value(name="hidden", shape=ir.Shape([1, "rows", len(weight)]), type=ir.TensorType(ir.DataType.FLOAT))
    holder = ir.Graph([hidden], [], nodes=[], opset_imports={"": 18, nodes.MICROSOFT: 1})
    product = ir.node("MatMul", [hidden, nodes.add_constant(holder, "weight", weight)])
    holder.append(product)
    product.outputs[0].name = "product"
    product.outputs[0].type = ir.TensorType(ir.DataType.FLOAT)
    product.outputs[0].shape = ir.Shape([1, "rows", weight.shape[1]])
    holder.outputs.append(product.outputs[0])
    model = ir.Model(holder, ir_version=10)
    quantize(model, recipe, Moments())
    return model


def _run(model: ir.Model, given: np.ndarray, name: str = "hidden") -> np.ndarray:
    session = ort.InferenceSession(ir.to_proto(model).SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["product"], {name: given})[0]
