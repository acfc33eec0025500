"""A second graph of a quantized model, all of whose products are in 4 bits: it drafts the tokens that the model checks.

A step of a single token waits for memory, and this graph reads half as much. Its tokens are those of the model in more
than nine of ten cases, which is too few for a suggestion and enough for a draft
(:mod:`midfill.inference.model_drafts`). So:

* Weights of 8 bits are rounded again, to 4 bits in blocks of 128. ``MatMulNBits`` rounds its input itself, so the
  nodes that round a row and multiply its scale are not needed.
* The logits are those of 4 bits, without the shortlist in 8 bits.
* All other constants stay in the model's own file of weights, which both graphs name. So they are stored once.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx_ir as ir
from onnx_ir.passes import common as passes

from midfill.inference.bundle import DRAFT_GRAPH, GRAPH, MAX_INT8
from midfill_export.graph.nodes import replace_value, tensor_of
from midfill_export.quantization.shortlist import insert_four_bit_product

_MIN_EXTERNAL_BYTES = 256
"""Smaller constants are in the graph's own file, as those of the model are."""


def write_draft_graph(folder: Path) -> None:
    """Write the draft graph of the model in ``folder``, its 4-bit weights beside it.

    Raises:
        OSError: the disk is full.
    """
    model = ir.load(folder / GRAPH)
    turn_into_draft(model)
    new = [
        value
        for value in model.graph.initializers.values()
        if not isinstance(value.const_value, ir.ExternalTensor) and tensor_of(value).nbytes >= _MIN_EXTERNAL_BYTES
    ]
    written = ir.external_data.convert_tensors_to_external(
        [tensor_of(value) for value in new], folder, f"{DRAFT_GRAPH}.data"
    )
    for value, tensor in zip(new, written, strict=True):
        value.const_value = tensor
    ir.save(model, folder / DRAFT_GRAPH)


def turn_into_draft(model: ir.Model) -> None:
    """Replace the 8-bit products of a model of :func:`midfill_export.quantization.quantize.quantize`, in place."""
    graph = model.graph
    for node in [node for node in graph if node.op_type == "MatMulIntegerToFloat"]:
        rounded, weight, _, scale = (_value(value) for value in node.inputs[:4])
        product = insert_four_bit_product(
            graph, node, _before_rounding(rounded), str(weight.name), tensor_of(weight).numpy(), _column_scales(scale)
        )
        replace_value(graph, _with_row_scale(node.outputs[0]), product)
    logits = next(value for value in graph.outputs if value.name == "logits")
    chosen = logits.producer()
    if chosen is not None and chosen.op_type == "ScatterElements":  # the shortlist overwrites some of the 4-bit logits
        replace_value(graph, logits, _value(chosen.inputs[0]))
    for tidy in (passes.RemoveUnusedNodesPass(), passes.TopologicalSortPass()):
        tidy(model)


def _before_rounding(rounded: ir.Value) -> ir.Value:
    """Return the activation whose rows were divided by their scales and rounded."""
    return _value(_maker(_value(_maker(rounded).inputs[0])).inputs[0])


def _with_row_scale(product: ir.Value) -> ir.Value:
    """Return the product after its multiplication by the scale of the row.

    The product of ``up_proj`` has none: the next product's scale includes it.
    """
    users = [node for node, _ in product.uses()]
    if len(users) == 1 and users[0].op_type == "Mul" and any(_is_row_scale(value) for value in users[0].inputs):
        return users[0].outputs[0]
    return product


def _is_row_scale(value: ir.Value | None) -> bool:
    maker = value.producer() if value is not None else None
    if maker is None:
        return False
    return maker.op_type == "ReduceMax" or (maker.op_type == "Mul" and all(map(_is_row_scale, maker.inputs)))


def _column_scales(scale: ir.Value) -> np.ndarray:
    """Return the step of each column's integers; in the graph it is divided by the largest integer of an activation."""
    return np.asarray(tensor_of(scale).numpy() * MAX_INT8, np.float32)


def _maker(value: ir.Value) -> ir.Node:
    maker = value.producer()
    assert maker is not None
    return maker


def _value(value: ir.Value | None) -> ir.Value:
    assert value is not None
    return value
