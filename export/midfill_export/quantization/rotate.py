"""Change of basis, folded into the weights, so that rounding activations to 8 bits loses as little as possible.

A decoder whose norms are RMSNorm computes the same function when its residual stream is multiplied by an orthogonal
matrix Q: weights that read the stream are multiplied by Q^T, weights that write it by Q. RMSNorm allows this once its
own weights are folded into the products that read it (QuaRot, arXiv:2404.00456). Here the columns of Q are the
principal axes of the norms' outputs on real code, because a few axes have most of the variance. The norm's own weights
are then free again, and divide every axis by

    s = (variance of the axis / squared length of the weights that read it) ^ 1/4

and those weights are multiplied by s. The step of rounding is proportional to the largest value, of an activation and
of the weights alike, and the sum of both losses is smallest at this s (SmoothQuant's balance, arXiv:2211.10438, in this
basis). A rotation of small blocks at run time (:mod:`midfill_export.quantization.quantize`) then makes the axes of a
block equally large.

The values of each attention head are rotated by a Hadamard matrix between ``v`` and ``o_proj``, in the weights. The
input of ``down_proj`` in a gated MLP is balanced by the same formula: ``up_proj``'s columns are divided by s, and
``down_proj``'s rows are multiplied by it. A few of its neurons are so much larger than the others that, without this,
it is the product that loses most by rounding.

In the graph, the (K, N) weights are the right operand: readers of the stream become Q^T W, writers W Q.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from midfill_export.graph.nodes import add_constant, attention_nodes, size_of, tensor_of, weight_of

Matrix = NDArray[np.float32]

_NORMS = ("SimplifiedLayerNormalization", "SkipSimplifiedLayerNormalization")


def can_rotate(graph: ir.Graph) -> bool:
    """Whether every norm is an RMSNorm that only products read, of a stream that only products and the embedding write.

    A rotation does not keep the mean that LayerNorm subtracts. Norms of a layer's output (Gemma), or of heads, are not
    between the stream and a product.
    """
    if any(node.op_type in ("LayerNormalization", "SkipLayerNormalization") for node in graph):
        return False
    if not all(weight_of(node) is not None for norm in norms(graph) for node in _users(norm.outputs[0])):
        return False
    return all(_is_written(value) for norm in norms(graph) for value in norm.inputs[: _scale_index(norm)])


def fold_norms(graph: ir.Graph) -> None:
    """Fold each RMSNorm's weights into the products that read it, in place; its own weights become ones."""
    for norm in norms(graph):
        weights = np.array(tensor_of(_value(norm.inputs[_scale_index(norm)])).numpy(), np.float32)
        for node in readers(norm):
            _change(_weight(node), partial(_scale_rows, weights))
        old = _value(norm.inputs[_scale_index(norm)])
        ones = add_constant(graph, f"{norm.outputs[0].name}.scale", np.ones_like(weights))
        norm.replace_input_with(_scale_index(norm), ones)
        if not old.uses():
            del graph.initializers[str(old.name)]


def rotate(model: ir.Model, covariances: Mapping[str, Matrix], block: int) -> None:
    """Change the basis of the residual stream and of each head's values; weights are changed when they are read.

    Args:
        model: A graph with folded norms (:func:`fold_norms`).
        covariances: E[x x^T] (width, width) by the name of each norm's output, at any scale.
        block: Width of the blocks that are rotated at run time; axes are ordered so that each block gets large and
            small ones.
    """
    graph = model.graph
    writers = [node for node in graph if weight_of(node) is not None and _feeds_norm(node)]
    embedding = next(node for node in graph if node.op_type == "Gather" and _is_token_lookup(node))
    turn = principal_axes(list(covariances.values()))[:, interleaved(len(next(iter(covariances.values()))), block)]
    for norm in norms(graph):
        behind = readers(norm)
        covariance = covariances[str(norm.outputs[0].name)]
        variances = np.einsum("ka,ka->a", turn, covariance @ turn)  # the diagonal of turn.T @ covariance @ turn
        lengths = sum(np.square(turn.T @ _read(_weight(node))).sum(axis=1) for node in behind)
        steps = balance(variances, np.asarray(lengths, np.float32))
        scale = _value(norm.inputs[_scale_index(norm)])
        scale.const_value = ir.tensor(1 / steps, name=scale.name)
        for node in behind:
            _change(_weight(node), lambda weight: turn.T @ weight)
            _change(_weight(node), partial(_scale_rows, steps))
    for node in writers:
        _change(_weight(node), lambda weight: weight @ turn)
    _change(_value(embedding.inputs[0]), lambda table: table @ turn)
    for node in attention_nodes(graph):
        _rotate_values(node)


def balance_gated(graph: ir.Graph, squares: Mapping[str, Matrix]) -> None:
    """Divide each of ``up_proj``'s columns by a factor and multiply ``down_proj``'s row by it, in place.

    Args:
        graph: The graph.
        squares: The sum of x^2 of each neuron (width,), by the name of the input of each of :func:`gated_products`.
    """
    for down, up in gated_products(graph):
        lengths = np.square(_read(_weight(down))).sum(axis=1)
        steps = balance(squares[str(_value(down.inputs[0]).name)], lengths)
        _change(_weight(up), partial(_scale_columns, np.reciprocal(steps)))
        _change(_weight(down), partial(_scale_rows, steps))


def gated_products(graph: ir.Graph) -> list[tuple[ir.Node, ir.Node]]:
    """Return each product whose input is ``up * gate``, with the product ``up``; nothing else may read either."""
    pairs = []
    for down in graph:
        gated = _value(down.inputs[0]).producer() if weight_of(down) is not None else None
        if gated is None or gated.op_type != "Mul" or len(gated.outputs[0].uses()) != 1:
            continue
        # SiLU reads the gate twice; another activation gives a value that no product makes. So only ``up`` remains.
        ups = [value for value in gated.inputs if value is not None and len(value.uses()) == 1]
        makers = [maker for value in ups if (maker := value.producer()) is not None and weight_of(maker) is not None]
        if len(makers) == 1:
            pairs.append((down, makers[0]))
    return pairs


def principal_axes(covariances: Sequence[Matrix]) -> Matrix:
    """Return the principal axes (width, width) of the mean covariance, one per column, largest variance first."""
    mean = sum(covariance / np.trace(covariance) for covariance in covariances)
    _, axes = np.linalg.eigh(np.asarray(mean, np.float64))
    return np.ascontiguousarray(axes[:, ::-1], np.float32)


def interleaved(width: int, block: int) -> NDArray[np.intp]:
    """Return an order of ``width`` axes, largest first, in which neighbours are in different blocks."""
    order: NDArray[np.intp] = np.arange(width).reshape(block, width // block).T.reshape(-1)
    return order


def balance(variances: Matrix, lengths: Matrix) -> Matrix:
    """Return the factor by which to divide each axis of an activation, and to multiply the weights that read it."""
    floor = 1e-6
    steps: Matrix = (
        np.maximum(variances, floor * variances.mean()) / np.maximum(lengths, floor * lengths.mean())
    ) ** 0.25
    return steps.astype(np.float32)


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
    normalized: Matrix = (matrix / np.sqrt(size)).astype(np.float32)
    return normalized


def fitting_block(width: int, at_most: int) -> int:
    """Return the largest power of two that divides ``width``, up to ``at_most``."""
    return min(width & -width, at_most)


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
    """Rotate each head's values by a Hadamard matrix, and undo it in the output projection."""
    heads, kv_heads = (attention.attributes[name].as_int() for name in ("num_heads", "kv_num_heads"))
    packed = _value(attention.inputs[0]).producer()
    assert packed is not None
    product = packed if packed.op_type == "MatMul" else _value(packed.inputs[0]).producer()
    assert product is not None
    output = next(node for node in _users(attention.outputs[0]) if weight_of(node) is not None)
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


def norms(graph: ir.Graph) -> list[ir.Node]:
    """Return the nodes that normalize the residual stream, in order."""
    return [node for node in graph if node.op_type in _NORMS]


def readers(norm: ir.Node) -> list[ir.Node]:
    """Return the products that read the output of a norm."""
    return [node for node in _users(norm.outputs[0]) if weight_of(node) is not None]


def _scale_rows(factors: Matrix, weight: Matrix) -> Matrix:
    return factors[:, None] * weight


def _scale_columns(factors: Matrix, weight: Matrix) -> Matrix:
    return weight * factors


def _scale_index(norm: ir.Node) -> int:
    return 1 if norm.op_type == "SimplifiedLayerNormalization" else 2


def _read(value: ir.Value) -> Matrix:
    return np.asarray(tensor_of(value).numpy(), np.float32)


def _users(value: ir.Value) -> Iterator[ir.Node]:
    """Yield the nodes that read ``value``, or logit rows selected from it."""
    for node, _ in value.uses():
        if node.op_type == "Gather":
            yield from _users(node.outputs[0])
        else:
            yield node


def _is_written(value: ir.Value | None) -> bool:
    """Whether ``value`` is the product of a weight, a row of the embedding, or an earlier state of the stream."""
    writer = value.producer() if value is not None else None
    if writer is None:
        return False
    if writer.op_type == "Gather" and not _is_token_lookup(writer):  # it selects logit rows
        return _is_written(writer.inputs[0])
    return writer.op_type in ("Gather", "SkipSimplifiedLayerNormalization") or weight_of(writer) is not None


def _feeds_norm(product: ir.Node) -> bool:
    return any(node.op_type == "SkipSimplifiedLayerNormalization" for node, _ in product.outputs[0].uses())


def _is_token_lookup(gather: ir.Node) -> bool:
    return gather.inputs[1] is not None and gather.inputs[1].name == "input_ids"


def _change(value: ir.Value, change: Callable[[Matrix], Matrix]) -> None:
    """Apply ``change`` to a weight when it is read, so that only one weight is in memory at a time."""
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
