"""Rounding that makes up for itself: less is lost for likely inputs than by rounding to nearest."""

from __future__ import annotations

import numpy as np
import pytest

from midfill_export.gptq import correction_factors, round_columns
from midfill_export.quantize import quantise_columns

RANDOM = np.random.default_rng(11)
WIDTH, COLUMNS = 96, 50


@pytest.fixture(scope="module")
def covariance() -> np.ndarray:
    """Return the moments of inputs that lie near a few directions, as activations do."""
    seen = RANDOM.standard_normal((400, 12)) @ RANDOM.standard_normal((12, WIDTH))
    seen += 0.1 * RANDOM.standard_normal(seen.shape)
    return (seen.T @ seen).astype(np.float32)


@pytest.fixture(scope="module")
def weights() -> np.ndarray:
    """Return columns of very different sizes, and one of zeros."""
    columns = RANDOM.standard_normal((WIDTH, COLUMNS)) * RANDOM.uniform(0.01, 10, COLUMNS)
    columns[:, 7] = 0
    return columns.astype(np.float32)


def _lost(weights: np.ndarray, integers: np.ndarray, scales: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Return what each column loses, in E[y^2]."""
    error = weights - integers * scales
    return np.einsum("kn,kn->n", error, covariance @ error)


def test_loses_less_than_rounding_to_nearest(weights: np.ndarray, covariance: np.ndarray) -> None:
    """With the same scales, what is lost for the inputs seen is a fraction."""
    compensated, scales = round_columns(weights, covariance, 127)
    nearest, same_scales = quantise_columns(weights, 127)
    assert (scales == same_scales).all()
    ours, theirs = (_lost(weights, integers, scales, covariance).sum() for integers in (compensated, nearest))
    assert ours < 0.3 * theirs


def test_is_the_recursion_with_the_inverse(weights: np.ndarray, covariance: np.ndarray) -> None:
    """The integers are those of GPTQ as it was published, on the axes in reverse order."""
    integers, scales = round_columns(weights, covariance, 127, damping=0.01)
    moments = covariance.astype(np.float64) + 0.01 * np.diagonal(covariance).mean() * np.eye(WIDTH)
    upper = np.linalg.cholesky(np.linalg.inv(moments[::-1, ::-1])).T
    moved, expected = weights[::-1].astype(np.float64), np.empty((WIDTH, COLUMNS))
    for row in range(WIDTH):
        expected[row] = np.clip(np.rint(moved[row] / scales), -127, 127)
        error = (moved[row] - expected[row] * scales) / upper[row, row]
        moved[row + 1 :] -= np.outer(upper[row, row + 1 :], error)
    assert (integers == expected[::-1]).mean() > 0.99  # FP32 may round a tie the other way


def test_uncorrelated_inputs_are_rounded_to_nearest(weights: np.ndarray) -> None:
    """Where no weight can make up for another, nothing moves."""
    integers, scales = round_columns(weights, np.diag(RANDOM.uniform(0.1, 9, WIDTH)).astype(np.float32), 127)
    nearest, same_scales = quantise_columns(weights, 127)
    assert (integers == nearest).all()
    assert (scales == same_scales).all()


def test_same_arguments_same_integers(weights: np.ndarray, covariance: np.ndarray) -> None:
    """Two runs give the same, and neither argument is written to."""
    kept = weights.copy(), covariance.copy()
    first, second = round_columns(weights, covariance, 127), round_columns(weights, covariance, 127)
    assert (first[0] == second[0]).all()
    assert (first[1] == second[1]).all()
    assert (weights == kept[0]).all()
    assert (covariance == kept[1]).all()


@pytest.mark.parametrize("limit", [63, 127])
def test_limit_is_kept(limit: int, weights: np.ndarray, covariance: np.ndarray) -> None:
    """However far a weight is moved, no integer is beyond the limit."""
    integers, _ = round_columns(weights, covariance, limit)
    assert np.abs(integers.astype(int)).max() == limit


def test_column_of_zeros_stays_zero(weights: np.ndarray, covariance: np.ndarray) -> None:
    """A column without weights does not divide by zero."""
    integers, scales = round_columns(weights, covariance, 127)
    assert not integers[:, 7].any()
    assert np.isfinite(scales).all()


@pytest.mark.parametrize("silent", [slice(0, 9), slice(None)])
def test_inputs_never_seen(silent: slice, covariance: np.ndarray) -> None:
    """Axes along which nothing was seen, or none at all, leave finite factors."""
    partly = covariance.copy()
    partly[silent] = 0
    partly[:, silent] = 0
    assert np.isfinite(correction_factors(partly, 0.01)).all()
