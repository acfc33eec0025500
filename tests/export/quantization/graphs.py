"""Small graphs that the tests of quantization run."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
import onnxruntime as ort

from midfill.inference.arithmetic import round_activations
from midfill_export.graph import nodes
from midfill_export.quantization.calibrate import Moments
from midfill_export.quantization.quantize import Recipe, quantize


def quantized_product(weight: np.ndarray, recipe: Recipe) -> ir.Model:
    """Return the quantized graph of one product of ``hidden`` with ``weight``."""
    hidden = ir.Value(name="hidden", shape=ir.Shape([1, "rows", len(weight)]), type=ir.TensorType(ir.DataType.FLOAT))
    holder = ir.Graph([hidden], [], nodes=[], opset_imports={"": 18, nodes.MICROSOFT: 1})
    product = ir.node("MatMul", [hidden, nodes.add_constant(holder, "weight", weight)])
    holder.append(product)
    product.outputs[0].name = "product"
    product.outputs[0].type = ir.TensorType(ir.DataType.FLOAT)
    product.outputs[0].shape = ir.Shape([1, "rows", weight.shape[1]])
    holder.outputs.append(product.outputs[0])
    model = ir.Model(holder, ir_version=10)
    quantize(model, recipe, Moments())
    return model


def run(model: ir.Model, given: np.ndarray, activation_bits: int = 8, *, name: str = "hidden") -> np.ndarray:
    """Return what the graph computes as ``product``."""
    options = ort.SessionOptions()
    kept = round_activations(options, activation_bits)
    session = ort.InferenceSession(ir.to_proto(model).SerializeToString(), options, providers=["CPUExecutionProvider"])
    product = np.asarray(session.run(["product"], {name: given})[0])
    del kept
    return product
