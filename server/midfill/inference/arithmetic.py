"""What 8-bit arithmetic this processor has, as onnxruntime uses it, and what a model must do about it.

onnxruntime multiplies unsigned activations by signed weights, and adds the products. Some of its kernels add them in 32
bits: those for AVX512-VNNI, AVX-VNNI and arm64. Others (AVX2, SSE4.1, AVX-512 without VNNI) first add two products in
16 bits, and a sum above 32,767 saturates. There, activations get fewer bits, so that no sum of two is too large.

The system is not asked for it: Windows and macOS have no ``/proc/cpuinfo``, and an emulator shows the flags of one
processor and computes like another. A product that saturates or does not is the fact itself.
"""

from __future__ import annotations

import importlib.resources
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from midfill.inference.bundle import MAX_INT8

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


@dataclass(frozen=True)
class ActivationRange:
    """The integers that a row of activations is rounded to: -``limit`` to ``limit``."""

    limit: int = MAX_INT8

    def put_into(self, options: ort.SessionOptions) -> list[ort.OrtValue]:
        """Replace two constants of the graph that a session with ``options`` will load.

        The graph multiplies a row so that its largest magnitude is 127. A larger unit then rounds it to fewer bits.

        Returns:
            The constants. They must live as long as the session, which reads them where they are.
        """
        if self.limit == MAX_INT8:
            return []
        constants: dict[str, NDArray[Any]] = {
            ROW_UNIT: np.array(MAX_INT8 / self.limit, np.float32),
            ROW_ZERO_POINT: np.array(self.limit, np.uint8),
        }
        values = {name: ort.OrtValue.ortvalue_from_numpy(constant) for name, constant in constants.items()}
        for name, value in values.items():
            options.add_initializer(name, value)
        return list(values.values())


@cache
def detect() -> Arithmetic:
    """Return the arithmetic of onnxruntime's kernels for this processor. The first call takes some 10 ms."""
    return _arithmetic_of(_largest_product())


def activation_range(weight_limit: int, arithmetic: Arithmetic) -> ActivationRange:
    """Return the widest range of activations with which no product saturates.

    Args:
        weight_limit: largest magnitude of a weight, 1 to 127.
        arithmetic: of the processor.
    """
    if arithmetic is Arithmetic.EXACT:
        return ActivationRange(MAX_INT8)
    # The unsigned integers go up to twice the limit, because the zero point is the limit.
    return ActivationRange(min(_MAX_SUM // (2 * weight_limit) // 2, MAX_INT8))


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
