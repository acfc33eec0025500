"""Optimize the traced graph: fused norms, packed attention, and logits only for the rows that are asked for.

The input is what :mod:`midfill_export.graph.to_onnx` traced. The result has one ``GroupQueryAttention`` and about a
dozen other nodes for each layer. What onnxruntime does by itself when it loads a graph (folding, SiLU) is left to it.

The optimized graph has these inputs and outputs (S new tokens, T tokens with the past, L rows of logits):

* ``input_ids`` int64 (1, S), ``attention_mask`` int64 (1, T), ``logit_rows`` int64 (L,): which of the S positions
  go through ``lm_head`` (a prefill needs one row, a check of drafted tokens needs several),
* ``past_key_values.N.key|value`` and ``present.N.key|value`` float32 (1, kv_heads, capacity, head_size), to be bound
  to the same memory,
* ``logits`` float32 (1, L, vocabulary).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx_ir as ir
from onnx_ir.passes import common as passes

from midfill.common.errors import ExportError
from midfill_export.graph.nodes import MICROSOFT, add_tensor, attention_nodes, tensor_of, weight_of
from midfill_export.graph.packed_attention import Rotary, pack_attention


def optimize(traced: Path, rotaries: Sequence[Rotary]) -> ir.Model:
    """Load ``traced`` and fuse its nodes; weights stay on disk until they are read.

    Args:
        traced: The graph's file.
        rotaries: The RoPE of each layer.

    Raises:
        ExportError: the graph does not have the shape of a decoder that Midfill traced.
    """
    model = ir.load(traced)
    graph = model.graph
    passes.LiftConstantsToInitializersPass()(model)
    model.opset_imports[MICROSOFT] = 1
    _fold_weight_transposes(graph)
    _fold_scalars(graph)
    pack_attention(graph, rotaries)
    _fuse_norms(graph)
    passes.RemoveUnusedNodesPass()(model)  # what the fusions left behind still reads the last layer
    _gather_logit_rows(graph)
    for tidy in (
        passes.CommonSubexpressionEliminationPass(),
        passes.RemoveUnusedNodesPass(),
        passes.DeduplicateInitializersPass(),
        passes.RemoveUnusedOpsetsPass(),
        passes.TopologicalSortPass(),
        passes.ClearMetadataAndDocStringPass(),
    ):
        tidy(model)
    _fix_shapes(graph)
    return model


def _fold_weight_transposes(graph: ir.Graph) -> None:
    """Replace ``MatMul(x, Transpose(W))`` by ``MatMul(x, W')``; W' is named after W, and transposed when it is read."""
    for node in list(graph):
        source = node.inputs[0] if node.op_type == "Transpose" else None
        if source is None or not source.is_initializer():
            continue
        folded = _transposed(tensor_of(source), f"{source.name}.T")
        ir.convenience.replace_all_uses_with(node.outputs[0], add_tensor(graph, folded))


def _transposed(tensor: ir.TensorProtocol, name: str) -> ir.LazyTensor:
    return ir.LazyTensor(
        lambda: ir.tensor(np.ascontiguousarray(tensor.numpy().T)),
        dtype=tensor.dtype,
        shape=ir.Shape(reversed(tensor.shape.numpy())),
        name=name,
    )


def _fold_scalars(graph: ir.Graph) -> None:
    """Multiply the weights of a product, or a table, by the one number that its result is multiplied or divided by.

    Gemma scales its embeddings by such a number; Granite its embeddings, its residual stream and its logits.
    """
    for node in list(graph):
        if node.op_type not in ("Mul", "Div"):
            continue
        value, factor = _scaled(node)
        source = value.producer() if value is not None else None
        if value is None or factor is None or source is None or len(value.uses()) != 1 or value.is_graph_output():
            continue
        index = {"MatMul": 1, "Gather": 0}.get(source.op_type)
        table = source.inputs[index] if index is not None else None
        if table is None or not table.is_initializer():
            continue
        assert index is not None
        source.replace_input_with(
            index, add_tensor(graph, _multiplied(tensor_of(table), factor, f"{table.name}.scaled"))
        )
        if node.outputs[0].is_graph_output():
            position = list(graph.outputs).index(node.outputs[0])
            value.name, value.shape, value.type = node.outputs[0].name, node.outputs[0].shape, node.outputs[0].type
            node.outputs[0].name = f"{value.name}.unscaled"
            graph.outputs[position] = value
        ir.convenience.replace_all_uses_with(node.outputs[0], value)


def _scaled(node: ir.Node) -> tuple[ir.Value | None, float | None]:
    """Return the value that a Mul or Div scales, and the factor; None and None if it is not one constant number."""
    left, right = node.inputs
    for value, other in ((left, right), (right, left)):
        constant = ir.convenience.get_const_tensor(other) if other is not None else None
        if constant is not None and constant.size == 1:
            number = float(constant.numpy().reshape(()))
            if node.op_type == "Mul":
                return value, number
            return (left, 1 / number) if other is right else (None, None)
    return None, None


def _multiplied(tensor: ir.TensorProtocol, factor: float, name: str) -> ir.LazyTensor:
    return ir.LazyTensor(
        lambda: ir.tensor(tensor.numpy() * np.float32(factor)),
        dtype=tensor.dtype,
        shape=ir.Shape(tensor.shape.numpy()),
        name=name,
    )


def _fuse_norms(graph: ir.Graph) -> None:
    """Replace ``midfill::RMSNorm``, and the residual addition before it if there is one, by onnxruntime's node."""
    for node in list(graph):
        if node.op_type != "RMSNorm":
            continue
        hidden, weight = node.inputs
        assert hidden is not None
        epsilon = node.attributes["epsilon"].as_float()
        addition = hidden.producer()
        if addition is not None and addition.op_type == "Add":
            fused = ir.node(
                "SkipSimplifiedLayerNormalization",
                [*addition.inputs, weight],
                attributes={"epsilon": epsilon},
                domain=MICROSOFT,
                num_outputs=4,
            )
            graph.insert_after(addition, fused)
            normed, _mean, _inverse, total = fused.outputs
            _mean.name = _inverse.name = ""
            ir.convenience.replace_all_uses_with(hidden, total)
            ir.convenience.replace_all_uses_with(node.outputs[0], normed)
        else:
            fused = ir.node(
                "SimplifiedLayerNormalization",
                [hidden, weight],
                attributes={"epsilon": epsilon, "axis": -1, "stash_type": 1},
            )
            graph.insert_before(node, fused)
            ir.convenience.replace_all_uses_with(node.outputs[0], fused.outputs[0])


def _gather_logit_rows(graph: ir.Graph) -> None:
    """Select the rows whose logits are asked for, directly after the last attention: nothing later needs the others.

    A prefill asks for one row. So it saves most of ``lm_head`` (a quarter of a small model's work) and of the last MLP.
    """
    head = next((value.producer() for value in graph.outputs if value.name == "logits"), None)
    if head is None or weight_of(head) is None:
        raise ExportError("the logits of the graph are not the result of one product: this model cannot be exported.")
    rows = ir.Value(name="logit_rows", shape=ir.Shape(["rows"]), type=ir.TensorType(ir.DataType.INT64))
    graph.inputs.append(rows)
    head.name = "lm_head"
    joint = _joint_after_last_attention(graph)
    if joint is None:  # a model with the MLP beside the attention, not after it
        _gather(graph, head, 0, rows)
    else:
        projection, addition, residual = joint
        _gather(graph, projection, 0, rows)
        _gather(graph, addition, residual, rows)


def _joint_after_last_attention(graph: ir.Graph) -> tuple[ir.Node, ir.Node, int] | None:
    """Return the last output projection, the norm that adds the residual to it, and the index of the residual input."""
    nodes = attention_nodes(graph)
    users = [node for node, _ in nodes[-1].outputs[0].uses()] if nodes else []
    projection = users[0] if len(users) == 1 and weight_of(users[0]) is not None else None
    if projection is None:
        return None
    readers = list(projection.outputs[0].uses())
    if len(readers) != 1 or readers[0][0].op_type != "SkipSimplifiedLayerNormalization":
        return None
    addition, index = readers[0]
    return projection, addition, 1 - index


def _gather(graph: ir.Graph, node: ir.Node, index: int, rows: ir.Value) -> None:
    """Make ``node`` read only ``rows`` of its input ``index``, along axis 1."""
    gather = ir.node("Gather", [node.inputs[index], rows], attributes={"axis": 1})
    graph.insert_before(node, gather)
    node.replace_input_with(index, gather.outputs[0])


def _fix_shapes(graph: ir.Graph) -> None:
    """Declare the batch as 1 (the operator's limit when it appends several tokens) and name the free sizes."""
    for value in graph.inputs:
        if value.name in ("input_ids", "attention_mask"):
            value.shape = ir.Shape([1, "new_tokens" if value.name == "input_ids" else "total_tokens"])
        elif value.name is not None and value.name.startswith("past_key_values."):
            assert value.shape is not None
            value.shape = ir.Shape([1, value.shape[1], "capacity", value.shape[3]])
    pasts = {_layer_and_part(value.name): value for value in graph.inputs if str(value.name).startswith("past_")}
    for value in graph.outputs:
        if value.name == "logits":
            assert value.shape is not None
            value.shape = ir.Shape([1, "rows", value.shape[2]])
        else:
            value.shape = pasts[_layer_and_part(value.name)].shape


def _layer_and_part(name: str | None) -> tuple[str, ...]:
    return tuple(str(name).rsplit(".", 2)[1:])
