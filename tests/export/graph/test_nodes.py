"""What the passes over a graph share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest

from midfill_export.graph.nodes import add_constant, insert, save_graph, size_of, tensor_of, weight_of


@pytest.fixture
def model() -> ir.Model:
    """Return a graph of one product with a constant, (2, 3)."""
    hidden = ir.Value(name="hidden", shape=ir.Shape([1, 2]), type=ir.TensorType(ir.DataType.FLOAT))
    graph = ir.Graph([hidden], [], nodes=[], opset_imports={"": 18})
    weight = add_constant(graph, "weight", np.arange(6, dtype=np.float32).reshape(2, 3))
    product = ir.node("MatMul", [hidden, weight])
    graph.append(product)
    product.outputs[0].name = "product"
    graph.outputs.append(product.outputs[0])
    return ir.Model(graph, ir_version=10)


def test_weight_is_a_constant_right_operand(model: ir.Model) -> None:
    """A product of two computed values has none, and no other node has one."""
    graph = model.graph
    weight = weight_of(graph[0])
    assert weight is not None
    assert [size_of(weight, axis) for axis in (0, 1)] == [2, 3]
    assert weight_of(ir.node("MatMul", [graph.inputs[0], graph.outputs[0]])) is None
    assert weight_of(ir.node("Add", [graph.inputs[0], weight])) is None


def test_inserted_node_stands_before_the_other(model: ir.Model) -> None:
    """Its output is returned, to be read by later nodes."""
    product = model.graph[0]
    doubled = insert(model.graph, product, "Add", model.graph.inputs[0], model.graph.inputs[0])
    product.replace_input_with(0, doubled)
    assert [node.op_type for node in model.graph] == ["Add", "MatMul"]


def test_saved_graph_has_its_weights_beside_it(model: ir.Model, tmp_path: Path) -> None:
    """It is loaded again with the same weights."""
    save_graph(model, tmp_path / "model.onnx")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.onnx", "model.onnx.data"]
    loaded = ir.load(tmp_path / "model.onnx").graph.initializers["weight"]
    assert np.array_equal(tensor_of(loaded).numpy(), np.arange(6).reshape(2, 3))
