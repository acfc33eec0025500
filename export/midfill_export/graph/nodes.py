"""What the passes over a graph share: reading and adding constants, finding and inserting nodes, saving the graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir

MICROSOFT = "com.microsoft"
"""Domain of onnxruntime's own operators."""


def attention_nodes(graph: ir.Graph) -> list[ir.Node]:
    """Return the fused attention nodes, one for each layer."""
    return [node for node in graph if node.op_type == "GroupQueryAttention"]


def weight_of(node: ir.Node) -> ir.Value | None:
    """Return the constant right operand, (in, out), of a MatMul; None when both operands are computed."""
    right = node.inputs[1] if node.op_type == "MatMul" else None
    return right if right is not None and right.is_initializer() else None


def size_of(value: ir.Value, axis: int) -> int:
    """Return the size of a constant along ``axis``."""
    assert value.shape is not None
    size = value.shape[axis]
    assert isinstance(size, int)
    return size


def tensor_of(value: ir.Value) -> ir.TensorProtocol:
    """Return a constant's content."""
    assert value.const_value is not None
    return value.const_value


def add_constant(graph: ir.Graph, name: str, array: np.ndarray) -> ir.Value:
    """Register ``array`` as an initializer and return its value."""
    return add_tensor(graph, ir.tensor(np.ascontiguousarray(array), name=name))


def add_tensor(graph: ir.Graph, tensor: ir.TensorProtocol) -> ir.Value:
    """Register ``tensor`` as an initializer and return its value."""
    shape = ir.Shape(tensor.shape.numpy())
    value = ir.Value(name=tensor.name, shape=shape, type=ir.TensorType(tensor.dtype), const_value=tensor)
    graph.register_initializer(value)
    return value


def insert(graph: ir.Graph, before: ir.Node, op_type: str, *inputs: ir.Value, **attributes: Any) -> ir.Value:
    """Insert a node of one output before another node and return that output."""
    node = ir.node(op_type, inputs, attributes=attributes)
    graph.insert_before(before, node)
    return node.outputs[0]


def replace_value(graph: ir.Graph, old: ir.Value, new: ir.Value) -> None:
    """Replace ``old`` by ``new`` in all users and in the graph's outputs."""
    new.shape, new.type = old.shape, old.type
    if old.is_graph_output():
        new.name, old.name = old.name, f"{old.name}.float"
        graph.outputs[list(graph.outputs).index(old)] = new
    ir.convenience.replace_all_uses_with(old, new)


def save_graph(model: ir.Model, path: Path) -> None:
    """Write ``model`` to ``path`` with its weights in ``<path>.data`` beside it."""
    ir.save(model, path, external_data=f"{path.name}.data")
