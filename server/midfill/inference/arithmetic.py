"""What 8-bit arithmetic this processor has, as onnxruntime uses it, and what a model must do about it.

onnxruntime multiplies unsigned activations by signed weights, and adds the products. Some of its kernels add them in 32
bits: those for AVX512-VNNI, AVX-VNNI and arm64. Others (AVX2, SSE4.1, AVX-512 without VNNI) first add two products in
16 bits, and a sum above 32,767 saturates. There, activations get fewer bits, so that no sum of two is too large.

The system is not asked for it: Windows and macOS have no ``/proc/cpuinfo``, and an emulator shows the flags of one
processor and computes like another. A product that saturates or does not is the fact itself.
"""

from __future__ import annotations

import importlib.resources
from enum import Enum
from functools import cache
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

_PROBE = "products.onnx"
"""``y = MatMulInteger(a, w)``: ``a`` is uint8 (rows, 64), ``w`` is int8 (64, 16) and 127 everywhere, ``y`` is int32."""
_MAX_SUM = (1 << 15) - 1
"""Largest sum of two products in 16 bits."""
ROW_UNIT = "rows.unit"
ROW_ZERO_POINT = "rows.zero_point"
"""Names of two constants of a bundle's graph (:mod:`midfill_export.quantization.quantize`): the step between two
integers of a row, float32 (), and the integer that stands for zero, uint8 ()."""


class Arithmetic(Enum):
    """How sums of 8-bit products are kept."""

    EXACT = "exact"
    """In 32 bits."""
    SATURATING = "saturating"
    """In pairs, in 16 bits that saturate."""


@cache
def detect() -> Arithmetic:
    """Return the arithmetic of onnxruntime's kernels for this processor. The first call takes some 10 ms."""
    return _arithmetic_of(_largest_product())


def activation_bits(weight_limit: int, arithmetic: Arithmetic) -> int:
    """Return the number of bits of an activation with which no sum of two products saturates: 8 or 7.

    Args:
        weight_limit: largest magnitude of a weight, 1 to 127.
        arithmetic: of the processor.
    """
    fits = 2 * 255 * weight_limit <= _MAX_SUM
    return 8 if fits or arithmetic is Arithmetic.EXACT else 7


def round_activations(options: ort.SessionOptions, bits: int) -> list[ort.OrtValue]:
    """Have the graph that a session with ``options`` will load round activations to ``bits`` bits.

    The graph multiplies a row so that its largest magnitude is 127, and stores it in 8 bits with the zero point 128.
    With 7 bits, the step between two integers is 2, and the zero point is 64. So they go up to 128, and 2 x 128 x 127
    fits 16 bits.

    Returns:
        The constants that replace the graph's. They must live as long as the session, which reads them where they are.
    """
    if bits == 8:
        return []
    constants: dict[str, NDArray[Any]] = {
        ROW_UNIT: np.array(2 ** (8 - bits), np.float32),
        ROW_ZERO_POINT: np.array(2 ** (bits - 1), np.uint8),
    }
    values = {name: ort.OrtValue.ortvalue_from_numpy(constant) for name, constant in constants.items()}
    for name, value in values.items():
        options.add_initializer(name, value)
    return list(values.values())


def _arithmetic_of(sum_of_products: int) -> Arithmetic:
    return Arithmetic.EXACT if sum_of_products == 64 * 255 * 127 else Arithmetic.SATURATING


def _largest_product() -> int:
    """Return the sum of 64 products of the largest activation and the largest weight."""
    graph = importlib.resources.files(__package__).joinpath(_PROBE).read_bytes()
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    rows = np.full((2, 64), 255, np.uint8)  # two rows, as every run of a model has: one alone has another kernel
    [products] = session.run(None, {"a": rows})
    return int(products[0, 0])
