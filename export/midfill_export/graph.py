"""The exported graph, made lean: fused norms, packed attention, logits only where they are asked for.

Reads what :mod:`midfill_export.to_onnx` traced and gives one ``GroupQueryAttention`` a layer and about a dozen
nodes around it. What onnxruntime would do by itself at load time (folding, SiLU) is left to it.

The graph that comes out has these inputs and outputs (S new tokens, T tokens with the past, L rows of logits):

* ``input_ids`` int64 (1, S), ``attention_mask`` int64 (1, T), ``logit_rows`` int64 (L,): which of the S positions
  go through ``lm_head`` (a prefill wants one row, a check of drafted tokens wants several),
* ``past_key_values.N.key|value`` and ``present.N.key|value`` float32 (1, kv_heads, capacity, head_size), to be bound
  to the same memory,
* ``logits`` float32 (1, L, vocabulary).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray
from onnx_ir.passes import common as passes

from midfill.errors import ExportError

MICROSOFT = "com.microsoft"
COS, SIN = "rotary.cos", "rotary.sin"
"""Names of the tables of RoPE, which all layers share; those of layers with others have a number more."""
_PAIRS = 8
"""The attention turns pairs of numbers of a head in multiples of so many."""


@dataclass(frozen=True)
class Rotary:
    """RoPE as a model has it, whatever scaling of positions led to it."""

    frequencies: NDArray[np.float32]
    """Radians by which a position turns each pair of a head's numbers, (rotary_dim / 2,)."""
    scaling: float
    """Of the cosines and sines."""
    positions: int

    @property
    def pairs(self) -> int:
        """How many pairs of a head's numbers are turned."""
        return len(self.frequencies)

    def tables(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return cosines and sines, each (positions, pairs), padded as GroupQueryAttention wants it."""
        # The angle is rounded to FP32, as it is where the model was trained; its cosine is rounded from FP64, so that
        # any machine has the same.
        angles = np.arange(self.positions, dtype=np.float32)[:, None] * self.frequencies
        cos, sin = (self.scaling * turn(angles.astype(np.float64)) for turn in (np.cos, np.sin))
        more = ((0, 0), (0, -self.pairs % _PAIRS))
        return (
            np.pad(cos.astype(np.float32), more, constant_values=1),
            np.pad(sin.astype(np.float32), more),
        )


def optimise(traced: Path, rotaries: Sequence[Rotary]) -> ir.Model:
    """Load ``traced`` and fuse it, with the RoPE tables of each layer; weights stay on disk until they are written.

    Raises:
        ExportError: the graph is not of the shape a decoder traced by Midfill has.
    """
    model = ir.load(traced)
    graph = model.graph
    passes.LiftConstantsToInitializersPass()(model)
    model.opset_imports[MICROSOFT] = 1
    _fold_weight_transposes(graph)
    _fold_scalars(graph)
    _pack_attention(graph, rotaries)
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


def save(model: ir.Model, path: Path) -> None:
    """Write ``model`` to ``path`` with its weights in ``<path>.data`` beside it."""
    ir.save(model, path, external_data=f"{path.name}.data")


def attention_nodes(graph: ir.Graph) -> list[ir.Node]:
    """Return the fused attention nodes, a layer each."""
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


def _fold_weight_transposes(graph: ir.Graph) -> None:
    """``MatMul(x, Transpose(W))`` becomes ``MatMul(x, W')``; W' keeps W's name and is transposed when read."""
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
    """Give a product, or a look-up in a table, the one number that it is multiplied or divided by in its weights.

    Gemma scales its embeddings so, Granite those, its residual stream and its logits.
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
    """Return what a Mul or Div scales, and by which number; None and None if by more than one."""
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


def _pack_attention(graph: ir.Graph, rotaries: Sequence[Rotary]) -> None:
    """One projection for query, key and value where that can be, RoPE inside the operator, no reshapes around it."""
    tables: dict[int, list[ir.Value]] = {}
    for rotary in rotaries:
        if id(rotary) not in tables:
            more = f".{len(tables)}" if tables else ""
            tables[id(rotary)] = [
                add_constant(graph, name + more, table) for name, table in zip((COS, SIN), rotary.tables(), strict=True)
            ]
    for layer, (node, rotary) in enumerate(zip(attention_nodes(graph), rotaries, strict=True)):
        query, key, value, *rest = node.inputs
        assert query is not None
        assert key is not None
        assert value is not None
        sources = [_skip(source, "Reshape", "Transpose") for source in (query, key, value)]
        packed = _pack_projections(graph, layer, node, sources, rotary.pairs)
        inputs = [query, key, value] if packed is None else [packed, None, None]
        window = node.attributes["local_window_size"].as_int()
        fused = ir.node(
            "GroupQueryAttention",
            [*inputs, *rest, *tables[id(rotary)]],
            attributes={
                "num_heads": node.attributes["num_heads"].as_int(),
                "kv_num_heads": node.attributes["kv_num_heads"].as_int(),
                "scale": node.attributes["scale"].as_float(),
                "do_rotary": 1,
                **({"local_window_size": window} if window > 0 else {}),
            },
            domain=MICROSOFT,
            num_outputs=3,
            name=f"layers.{layer}.attention",
        )
        graph.insert_before(node, fused)
        _bypass_reshapes(node.outputs[0], fused.outputs[0])
        for old, new in zip(node.outputs[1:], fused.outputs[1:], strict=True):
            position = list(graph.outputs).index(old)
            new.name, new.shape, new.type = old.name, old.shape, old.type
            old.name = f"{old.name}.unfused"
            graph.outputs[position] = new


def head_order(head_size: int, pairs: int) -> NDArray[np.intp]:
    """Return in which order a head's numbers stand, so that those of a pair are as far apart as the operator has them.

    A model that turns ``pairs`` of a head (StableLM: 10 of 80 numbers' 40) turns number i with i + pairs; the operator,
    whose tables are padded, i with i + padded. Attention is the same in any order that queries and keys share.

    Raises:
        ExportError: the head is too small for the padded tables.
    """
    padded = pairs + -pairs % _PAIRS
    if 2 * padded > head_size:
        raise ExportError(f"{pairs} pairs of a head of {head_size} are turned, which onnxruntime's attention cannot do")
    turned = np.arange(2 * pairs)
    rest = iter(range(2 * pairs, head_size))
    places = {**dict(enumerate(turned[:pairs])), **dict(enumerate(turned[pairs:], start=padded))}
    return np.array([places[place] if place in places else next(rest) for place in range(head_size)], np.intp)


def _pack_projections(
    graph: ir.Graph, layer: int, before: ir.Node, sources: list[ir.Value], pairs: int
) -> ir.Value | None:
    """Concatenate three ``MatMul [+ Add bias]`` of one input into one, (in, q + k + v), heads as the operator has them.

    None where they are something else, such as normalised by head (Gemma 3).
    """
    weights: list[ir.Value] = []
    biases: list[ir.Value | None] = []
    hidden = None
    for source in sources:
        product: ir.Value | None = source
        bias = None
        producer = source.producer()
        if producer is not None and producer.op_type == "Add":
            bias = next((value for value in producer.inputs if value is not None and value.is_initializer()), None)
            product = next(value for value in producer.inputs if value is not bias)
        matmul = product.producer() if product is not None else None
        weight = weight_of(matmul) if matmul is not None else None
        if matmul is None or weight is None or (hidden is not None and matmul.inputs[0] is not hidden):
            return None
        hidden = matmul.inputs[0]
        weights.append(weight)
        biases.append(bias)
    name = f"layers.{layer}.qkv_proj"
    tensors = [tensor_of(weight) for weight in weights]
    width = sum(size_of(weight, 1) for weight in weights)
    heads = [before.attributes[attribute].as_int() for attribute in ("num_heads", "kv_num_heads")]
    order = head_order(size_of(weights[0], 1) // heads[0], pairs)

    def sort(arrays: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Put the numbers of each head of query and key in order, and join."""
        for index, count in enumerate(heads):
            array = arrays[index]
            arrays[index] = array.reshape(*array.shape[:-1], count, -1)[..., order].reshape(array.shape)
        return np.concatenate(arrays, axis=-1)

    packed_weight = ir.LazyTensor(
        lambda: ir.tensor(sort([tensor.numpy() for tensor in tensors])),
        dtype=tensors[0].dtype,
        shape=ir.Shape([size_of(weights[0], 0), width]),
        name=f"{name}.weight",
    )
    matmul = ir.node("MatMul", [hidden, add_tensor(graph, packed_weight)], name=name)
    graph.insert_before(before, matmul)
    if not any(biases):
        return matmul.outputs[0]
    packed_bias = sort(
        [
            tensor_of(bias).numpy() if bias is not None else np.zeros(size_of(weight, 1), np.float32)
            for bias, weight in zip(biases, weights, strict=True)
        ]
    )
    add = ir.node("Add", [matmul.outputs[0], add_constant(graph, f"{name}.bias", packed_bias)])
    graph.insert_before(before, add)
    return add.outputs[0]


def _bypass_reshapes(old: ir.Value, new: ir.Value) -> None:
    """Everything that used ``old`` through reshapes uses ``new``, which has the wanted shape already."""
    for node, index in tuple(old.uses()):
        if node.op_type == "Reshape" and index == 0:
            _bypass_reshapes(node.outputs[0], new)
        else:
            node.replace_input_with(index, new)


def _fuse_norms(graph: ir.Graph) -> None:
    """``midfill::RMSNorm`` becomes onnxruntime's, with the residual addition before it where there is one."""
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
    """Choose the rows wanted as early as may be: after the last attention nothing looks at other positions any more.

    A prefill wants one row, so it saves ``lm_head`` (a quarter of a small model's work) and the last layer's MLP.
    """
    head = next((value.producer() for value in graph.outputs if value.name == "logits"), None)
    if head is None or weight_of(head) is None:
        raise ExportError("the graph's logits do not come from one product; this head is not supported")
    rows = ir.Value(name="logit_rows", shape=ir.Shape(["rows"]), type=ir.TensorType(ir.DataType.INT64))
    graph.inputs.append(rows)
    head.name = "lm_head"
    joint = _joint_after_last_attention(graph)
    if joint is None:  # an MLP beside the attention, not after it
        _gather(graph, head, 0, rows)
    else:
        projection, addition, residual = joint
        _gather(graph, projection, 0, rows)
        _gather(graph, addition, residual, rows)


def _joint_after_last_attention(graph: ir.Graph) -> tuple[ir.Node, ir.Node, int] | None:
    """Return the last layer's output projection, the norm that adds the residual to it, and which input that is."""
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
    """Give ``node`` only ``rows`` of what it reads at ``index``, along axis 1."""
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


def _skip(value: ir.Value, *op_types: str) -> ir.Value:
    """Walk back through data-moving nodes to what they move."""
    for producer in _producers(value):
        if producer.op_type not in op_types:
            break
        source = producer.inputs[0]
        assert source is not None
        value = source
    return value


def _producers(value: ir.Value | None) -> Iterator[ir.Node]:
    while value is not None and (node := value.producer()) is not None:
        yield node
        value = node.inputs[0] if node.inputs else None
