"""Rotations leave the function of a model the same, and balance what rounding loses."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest

from export.quantization.graphs import run
from midfill_export.graph import nodes
from midfill_export.graph.nodes import tensor_of
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

RANDOM = np.random.default_rng(7)


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
    """The first axes, which are the largest, are in different blocks."""
    order = interleaved(12, 4)
    assert sorted(order) == list(range(12))
    assert {int(np.flatnonzero(order == axis)[0]) // 4 for axis in range(3)} == {0, 1, 2}


def test_balance_gives_the_smallest_loss() -> None:
    """No similar factors lose less, where the loss of a rounding is proportional to the largest value squared."""
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


def test_balanced_gate_is_the_same_function() -> None:
    """``up`` divided by a factor a neuron and ``down`` multiplied by it give what they gave; the gate is left alone."""
    model, weights = _gated_mlp()
    hidden = RANDOM.standard_normal((1, 3, 8)).astype(np.float32)
    before = run(model, hidden)
    balance_gated(model.graph, {"gated": RANDOM.uniform(0.01, 100, 12).astype(np.float32)})
    held = {name: np.asarray(tensor_of(model.graph.initializers[name]).numpy()) for name in weights}
    assert (held["gate"] == weights["gate"]).all()
    assert np.abs(held["up"] / weights["up"] - 1).max() > 0.1
    assert np.abs(run(model, hidden) - before).max() < 1e-3


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
