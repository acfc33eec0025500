"""Rotations folded into the weights, so that no activation has outliers when its row is quantised to 8 bits.

A decoder whose norms are RMSNorm computes the same function when its residual stream is multiplied by an orthogonal
matrix Q: whatever reads the stream takes Q^T first, whatever writes it gives Q last, and RMSNorm sees the same length
once its own weights have moved into the products behind it. In the rotated stream, what was one huge channel is spread
over all (QuaRot, arXiv:2404.00456). The values of each attention head are rotated the same way, between ``v`` and
``o_proj``. All of it happens here, offline; nothing is added to the graph.

In the graph, (K, N) weights stand right of the product: readers become Q^T W, writers W Q.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from midfill_export.graph import attention_nodes, size_of, weight_of

Matrix = NDArray[np.float32]

_NORMS = ("SimplifiedLayerNormalization", "SkipSimplifiedLayerNormalization")


def can_rotate(graph: ir.Graph) -> bool:
    """Whether every norm is an RMSNorm; LayerNorm's mean is not kept by a rotation."""
    return not any(node.op_type in ("LayerNormalization", "SkipLayerNormalization") for node in graph)


def rotate(model: ir.Model, seed: int = 0) -> None:
    """Rotate the residual stream and the values of each head, in place; weights are changed when they are read."""
    graph = model.graph
    readers = {reader for norm in _norms(graph) for reader in _fold_norm(norm)}
    writers = [node for node in graph if weight_of(node) is not None and _feeds_norm(node)]
    embedding = next(node for node in graph if node.op_type == "Gather" and _is_token_lookup(node))
    width = size_of(_value(embedding.inputs[0]), 1)
    turn = random_rotation(width, seed)
    for node in readers:
        _change(_weight(node), lambda weight: turn.T @ weight)
    for node in writers:
        _change(_weight(node), lambda weight: weight @ turn)
    _change(_value(embedding.inputs[0]), lambda table: table @ turn)
    for node in attention_nodes(graph):
        _rotate_values(node)


def random_rotation(width: int, seed: int) -> Matrix:
    """Return a random orthogonal matrix (width, width), evenly spread over all of them, the same for a seed."""
    gaussian = np.random.default_rng(seed).standard_normal((width, width))
    q, r = np.linalg.qr(gaussian)
    return (q * np.sign(np.diag(r))).astype(np.float32)


def hadamard(size: int) -> Matrix:
    """Return the orthonormal Hadamard matrix (size, size) by Sylvester's construction; it is its own inverse.

    Raises:
        ValueError: ``size`` is not a power of two.
    """
    if size < 1 or size & (size - 1):
        raise ValueError(f"a Hadamard block must be a power of two, not {size}")
    matrix = np.ones((1, 1))
    while len(matrix) < size:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    normalised: Matrix = (matrix / np.sqrt(size)).astype(np.float32)
    return normalised


def rotate_rows(matrix: Matrix, rotation: Matrix) -> Matrix:
    """Multiply (K, N) weights from the left by ``rotation``^T repeated along the diagonal."""
    blocks = matrix.reshape(-1, len(rotation), matrix.shape[1])  # (K / B, B, N)
    rotated: Matrix = (rotation.T @ blocks).reshape(matrix.shape)
    return rotated


def rotate_columns(matrix: Matrix, rotation: Matrix) -> Matrix:
    """Multiply (..., N) weights from the right by ``rotation`` repeated along the diagonal."""
    blocks = matrix.reshape(*matrix.shape[:-1], -1, len(rotation))  # (..., N / B, B)
    rotated: Matrix = (blocks @ rotation).reshape(matrix.shape)
    return rotated


def _rotate_values(attention: ir.Node) -> None:
    """Rotate each head's values by a Hadamard matrix, and take it back in the output projection."""
    heads, kv_heads = (attention.attributes[name].as_int() for name in ("num_heads", "kv_num_heads"))
    packed = _value(attention.inputs[0]).producer()
    assert packed is not None
    product = packed if packed.op_type == "MatMul" else _value(packed.inputs[0]).producer()
    assert product is not None
    output = next(node for node, _ in attention.outputs[0].uses() if weight_of(node) is not None)
    head_size = size_of(_weight(product), 1) // (heads + 2 * kv_heads)
    if head_size & (head_size - 1):
        return
    turn = hadamard(head_size)
    values = slice(-kv_heads * head_size, None)

    def turn_values(array: Matrix) -> Matrix:
        array = array.copy()
        array[..., values] = rotate_columns(array[..., values], turn)
        return array

    _change(_weight(product), turn_values)
    if packed is not product:
        _change(next(value for value in packed.inputs if value is not None and value.is_initializer()), turn_values)
    _change(_weight(output), lambda weight: rotate_rows(weight, turn))


def _norms(graph: ir.Graph) -> Iterator[ir.Node]:
    return (node for node in graph if node.op_type in _NORMS)


def _fold_norm(norm: ir.Node) -> list[ir.Node]:
    """Move the norm's weights into the products that read it, which are returned."""
    scale = _value(norm.inputs[1 if norm.op_type == "SimplifiedLayerNormalization" else 2])
    assert scale.const_value is not None
    weights = np.array(scale.const_value.numpy(), np.float32)
    readers = [node for node in _users(norm.outputs[0]) if weight_of(node) is not None]
    for node in readers:
        _change(_weight(node), lambda weight: weights[:, None] * weight)
    scale.const_value = ir.tensor(np.ones_like(weights), name=scale.name)
    return readers


def _users(value: ir.Value) -> Iterator[ir.Node]:
    """Return what reads ``value``, looking through the choice of logit rows."""
    for node, _ in value.uses():
        if node.op_type == "Gather":
            yield from _users(node.outputs[0])
        else:
            yield node


def _feeds_norm(product: ir.Node) -> bool:
    return any(node.op_type == "SkipSimplifiedLayerNormalization" for node, _ in product.outputs[0].uses())


def _is_token_lookup(gather: ir.Node) -> bool:
    return gather.inputs[1] is not None and gather.inputs[1].name == "input_ids"


def _change(value: ir.Value, change: Callable[[Matrix], Matrix]) -> None:
    """Apply ``change`` to a weight whenever it is read, so that only one weight is in memory at a time."""
    tensor = value.const_value
    assert tensor is not None
    value.const_value = ir.LazyTensor(
        lambda: ir.tensor(np.ascontiguousarray(change(np.asarray(tensor.numpy(), np.float32)))),
        dtype=tensor.dtype,
        shape=ir.Shape(tensor.shape.numpy()),
        name=value.name,
    )


def _weight(product: ir.Node) -> ir.Value:
    return _value(weight_of(product))


def _value(value: ir.Value | None) -> ir.Value:
    assert value is not None
    return value
