"""``lm_head`` in 4 bits for all tokens, and in 8 bits for the likeliest."""

from __future__ import annotations

import numpy as np
import pytest

from export.quantization.graphs import quantized_product, run
from midfill_export.quantization.quantize import Recipe, quantize_columns
from midfill_export.quantization.shortlist import in_four_bits

RANDOM = np.random.default_rng(7)


@pytest.mark.parametrize("width", [64, 80])
def test_four_bits_are_close(width: int) -> None:
    """No weight is further off than a step, most no more than half of one; what fills up the last block is nothing."""
    integers, scales = quantize_columns(RANDOM.standard_normal((width, 6)).astype(np.float32))
    packed, steps = in_four_bits(integers, scales, 32)
    nibbles = np.stack([packed & 15, packed >> 4], axis=-1).reshape(6, -1, 32).astype(np.float32) - 8
    restored = (nibbles * steps[:, :, None]).reshape(6, -1).T
    errors = np.abs(restored[:width] - integers * scales) / np.repeat(steps, 32, axis=1).T[:width]
    assert errors.max() <= 0.51
    assert not restored[width:].any()


def test_likeliest_of_the_head_are_computed_in_eight_bits() -> None:
    """The largest logits are closer than those of 8 bits for weights and input; the others are of 4 bits."""
    weight = RANDOM.standard_normal((256, 400)).astype(np.float32)
    hidden = RANDOM.standard_normal((1, 6, 256)).astype(np.float32)
    exact = hidden @ weight
    likeliest = np.argsort(-exact, axis=-1)[:, :, :10]

    def errors(shortlist: int) -> np.ndarray:
        found = run(quantized_product(weight, Recipe(shortlist=shortlist, residual_block=0)), hidden)
        return np.asarray(np.abs(found - exact))

    again, plain = errors(64), errors(0)
    assert np.take_along_axis(again, likeliest, -1).mean() < np.take_along_axis(plain, likeliest, -1).mean()
    assert again.mean() > 3 * plain.mean()


def test_head_of_few_tokens_is_computed_whole() -> None:
    """A vocabulary shorter than the list is all on it; no row gives no row."""
    weight = RANDOM.standard_normal((64, 20)).astype(np.float32)
    hidden = RANDOM.standard_normal((1, 2, 64)).astype(np.float32)
    model = quantized_product(weight, Recipe(residual_block=0))
    assert np.abs(run(model, hidden) - hidden @ weight).max() < 0.3
    assert run(model, hidden[:, :0]).shape == (1, 0, 20)


def test_even_numbers_of_rows_of_the_head_are_the_same_to_the_bit() -> None:
    """The model pads a lone row and a last odd row, because both take another kernel."""
    weight = RANDOM.standard_normal((256, 640)).astype(np.float32)
    hidden = RANDOM.standard_normal((1, 18, 256)).astype(np.float32)
    model = quantized_product(weight, Recipe())
    together = run(model, hidden)
    for rows in range(2, 18, 2):
        for first in range(0, 18 - rows, 3):
            part = slice(first, first + rows)
            assert (run(model, hidden[:, part]) == together[:, part]).all(), (first, rows)
