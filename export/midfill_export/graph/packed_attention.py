"""Packed attention: query, key and value come from one product, and onnxruntime's operator applies RoPE itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from midfill.common.errors import ExportError
from midfill_export.graph.nodes import (
    MICROSOFT,
    add_constant,
    add_tensor,
    attention_nodes,
    size_of,
    tensor_of,
    weight_of,
)

COS, SIN = "rotary.cos", "rotary.sin"
"""Names of RoPE's tables, which all layers share; the names of further tables end with a number."""
_PAIR_MULTIPLE = 8
"""The operator needs a number of rotated pairs that is a multiple of this."""


@dataclass(frozen=True)
class Rotary:
    """The RoPE of a model, any scaling included."""

    frequencies: NDArray[np.float32]
    """Radians per position by which each pair of a head's numbers is rotated, (rotary_dim / 2,)."""
    scaling: float
    """Factor of the cosines and sines."""
    positions: int
    """Number of positions, the context length."""

    @property
    def pairs(self) -> int:
        """Number of pairs of a head's numbers that are rotated."""
        return len(self.frequencies)

    def tables(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return cosines and sines, each (positions, pairs), padded for ``GroupQueryAttention``."""
        # The angle is rounded to FP32, as in training. Its cosine is rounded from FP64, so that it is the same on every
        # machine.
        angles = np.arange(self.positions, dtype=np.float32)[:, None] * self.frequencies
        cos, sin = (self.scaling * turn(angles.astype(np.float64)) for turn in (np.cos, np.sin))
        more = ((0, 0), (0, -self.pairs % _PAIR_MULTIPLE))
        return (
            np.pad(cos.astype(np.float32), more, constant_values=1),
            np.pad(sin.astype(np.float32), more),
        )


def pack_attention(graph: ir.Graph, rotaries: Sequence[Rotary]) -> None:
    """Pack the projections of query, key and value into one where possible, and let the operator apply RoPE."""
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
    """Return the order of a head's numbers in which the operator rotates the same pairs as the model.

    The model rotates number i together with number i + pairs (StableLM rotates 10 pairs of a head of 80 numbers). The
    operator, whose tables are padded, rotates number i together with number i + padded. Attention stays the same in any
    order, if queries and keys have the same order.

    Raises:
        ExportError: the head is too small for the padded tables.
    """
    padded = pairs + -pairs % _PAIR_MULTIPLE
    if 2 * padded > head_size:
        raise ExportError(
            f"The model rotates {pairs} pairs of a head of {head_size}, which onnxruntime's attention cannot do."
        )
    turned = np.arange(2 * pairs)
    rest = iter(range(2 * pairs, head_size))
    places = {**dict(enumerate(turned[:pairs])), **dict(enumerate(turned[pairs:], start=padded))}
    return np.array([places[place] if place in places else next(rest) for place in range(head_size)], np.intp)


def _pack_projections(
    graph: ir.Graph, layer: int, before: ir.Node, sources: list[ir.Value], pairs: int
) -> ir.Value | None:
    """Concatenate three ``MatMul [+ Add bias]`` of one input into one, (in, q + k + v), in the operator's head order.

    Returns:
        The packed value; None if the three are something else, such as normalized for each head (Gemma 3).
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
        """Reorder the numbers of each head of query and key, and concatenate."""
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
    """Replace every use of ``old`` behind reshapes by ``new``, which has the right shape already."""
    for node, index in tuple(old.uses()):
        if node.op_type == "Reshape" and index == 0:
            _bypass_reshapes(node.outputs[0], new)
        else:
            node.replace_input_with(index, new)


def _skip(value: ir.Value, *op_types: str) -> ir.Value:
    """Return the value from which nodes of these types made ``value``."""
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
