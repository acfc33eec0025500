"""Keys and values in 16 bits, for models whose query heads share none: their KV cache is the largest.

Stable Code 3B has 32 KV heads in 32 layers: 655 kB a token in FP32, and 4,096 tokens need as much memory as its
weights. ``GroupQueryAttention`` has one type for its inputs and its cache. So the packed projections are rounded to 16
bits before it, and its result is FP32 again. A model whose heads share keys and values keeps FP32: its cache is small,
and its attention after a long past (:mod:`midfill_export.graph.grouped_attention`) is in FP32.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from midfill_export.graph.nodes import add_constant, attention_nodes, tensor_of

_HALF = ir.TensorType(ir.DataType.FLOAT16)
_PROJECTIONS, _CACHES, _TABLES = slice(0, 3), slice(3, 5), slice(7, 9)
"""Inputs of ``GroupQueryAttention``: query, key and value, the past keys and values, the cosines and sines."""


def halve_cache(graph: ir.Graph) -> bool:
    """Give the graph a KV cache in 16 bits if no heads share keys and values; return whether it has one now."""
    nodes = attention_nodes(graph)
    if not nodes or not all(_can_be_halved(node) for node in nodes):
        return False
    for node in nodes:
        for index, value in list(enumerate(node.inputs))[_PROJECTIONS]:
            if value is not None:
                node.replace_input_with(index, _cast(graph, node, value, ir.DataType.FLOAT16))
        for value in [*node.inputs[_CACHES], *node.outputs[1:3]]:
            if value is not None:
                value.type = _HALF
        for index, value in list(enumerate(node.inputs))[_TABLES]:
            if value is not None:
                node.replace_input_with(index, _rounded(graph, value))
        _widen_result(graph, node)
    return True


def _can_be_halved(attention: ir.Node) -> bool:
    """Whether no heads share keys and values, and no input comes after the tables, such as a bias of the scores."""
    heads, kv_heads = (attention.attributes[name].as_int() for name in ("num_heads", "kv_num_heads"))
    return heads == kv_heads and not any(attention.inputs[_TABLES.stop :])


def _cast(graph: ir.Graph, before: ir.Node, value: ir.Value, to: ir.DataType) -> ir.Value:
    cast = ir.node("Cast", [value], attributes={"to": to})
    graph.insert_before(before, cast)
    cast.outputs[0].type, cast.outputs[0].shape = ir.TensorType(to), value.shape
    return cast.outputs[0]


def _rounded(graph: ir.Graph, table: ir.Value) -> ir.Value:
    """Return a constant in 16 bits; all layers share it."""
    name = f"{table.name}.half"
    return graph.initializers.get(name) or add_constant(graph, name, tensor_of(table).numpy().astype(np.float16))


def _widen_result(graph: ir.Graph, attention: ir.Node) -> None:
    result = attention.outputs[0]
    cast = ir.node("Cast", [result], attributes={"to": ir.DataType.FLOAT})
    graph.insert_after(attention, cast)
    cast.outputs[0].type, cast.outputs[0].shape = ir.TensorType(ir.DataType.FLOAT), result.shape
    result.type = _HALF
    for user, index in list(result.uses()):
        if user is not cast:
            user.replace_input_with(index, cast.outputs[0])
