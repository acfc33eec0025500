"""Rounding weights so that what one loses, the next make up for: GPTQ (arXiv:2210.17323).

For inputs x with second moments H = E[x x^T], a column w of weights rounded to v costs (w - v)^T H (w - v), not the
|w - v|^2 that rounding to nearest makes least. With H = L L^T that is |L^T (w - v)|^2, and L^T is upper triangular: the
last weight is rounded first, and each one before it is moved by what the roundings behind it cost along its own axis.
That is GPTQ's recursion run from the other end, as Babai's nearest plane algorithm (arXiv:2507.18553), and needs no
inverse of H. Integers stay integers, with one scale a column, so it costs nothing at run time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

DAMPING = 0.01
"""Share of the mean diagonal added to that of H, so that directions never seen do not run free."""
_COLUMNS_AT_ONCE = 4096
"""So that a vocabulary's worth of columns is not held several times over in FP32."""
_ROWS_AT_ONCE = 16
"""Corrections from rows further behind come as one product for so many rows."""


def round_columns(
    matrix: Matrix, covariance: Matrix, limit: int, damping: float = DAMPING
) -> tuple[NDArray[np.int8], Matrix]:
    """Round (K, N) weights to integers of at most ``limit``, losing little of what they give for likely inputs.

    Args:
        matrix: A column of weights for each of N outputs.
        covariance: E[x x^T] (K, K) of the inputs, at any scale.
        limit: Largest magnitude of an integer; a column's largest weight becomes it.
        damping: Added to the diagonal, in shares of its mean.

    Returns:
        The integers (K, N) and the scale of each column (N,); both depend on nothing but the arguments.
    """
    factors = correction_factors(covariance, damping)
    integers, scales = np.empty(matrix.shape, np.int8), np.empty(matrix.shape[1], np.float32)
    for start in range(0, matrix.shape[1], _COLUMNS_AT_ONCE):
        part = slice(start, start + _COLUMNS_AT_ONCE)
        weights = np.ascontiguousarray(matrix[:, part])
        largest = np.abs(weights).max(axis=0)
        scales[part] = np.where(largest > 0, largest / limit, 1)
        integers[:, part] = _round_part(weights, factors, scales[part], limit)
    return integers, scales


def correction_factors(covariance: Matrix, damping: float) -> Matrix:
    """Return (K, K) F, by which weight j takes over F[k, j] of the rounding error of each weight k > j."""
    moments = np.array(covariance, np.float64)
    diagonal = np.einsum("ii->i", moments)
    # An input that is always zero has no say in anything: only the damping keeps the matrix positive then.
    diagonal += damping * diagonal.mean() if diagonal.any() else 1
    lower = np.linalg.cholesky(moments)
    factors: Matrix = (lower / np.diagonal(lower)).astype(np.float32)
    return factors


def _round_part(weights: Matrix, factors: Matrix, scales: Matrix, limit: int) -> NDArray[np.int8]:
    integers, errors = np.empty(weights.shape, np.int8), np.empty_like(weights)
    for end in range(len(weights), 0, -_ROWS_AT_ONCE):
        start = max(0, end - _ROWS_AT_ONCE)
        moved = weights[start:end] + factors[end:, start:end].T @ errors[end:]  # (rows, N)
        for row in range(end - 1, start - 1, -1):
            rounded = np.clip(np.rint(moved[row - start] / scales), -limit, limit)
            integers[row] = rounded
            errors[row] = weights[row] - rounded * scales
            moved[: row - start] += factors[row, start:row, None] * errors[row]
    return integers
