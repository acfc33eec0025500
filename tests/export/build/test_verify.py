"""The comparison that decides whether a bundle is the model."""

from __future__ import annotations

import numpy as np
import pytest

from export.conftest import train_tokenizer
from midfill_export.build.verify import (
    calibration_prompts,
    compare,
    largest_difference,
    plain_encoder,
    verification_samples,
)
from midfill_export.loaders.fim_formats import find_format


def test_equal_logits_agree_fully() -> None:
    """A model agrees with itself at every position, at no divergence."""
    logits = [np.random.default_rng(0).standard_normal((4, 9)).astype(np.float32)]
    agreement = compare(logits, logits)
    assert (agreement.positions, agreement.top1, agreement.mean_kl) == (4, 1.0, 0.0)


def test_swapped_favourite_disagrees() -> None:
    """A position with another most likely token counts against the candidate, by its share."""
    reference = np.array([[2.0, 1.0], [2.0, 1.0]], np.float32)
    candidate = np.array([[2.0, 1.0], [1.0, 2.0]], np.float32)
    agreement = compare([reference], [candidate])
    assert agreement.top1 == 0.5
    assert agreement.mean_kl == pytest.approx(0.5 * np.tanh(0.5), abs=1e-6)
    assert largest_difference([reference], [candidate]) == 1.0


def test_samples_are_real_and_the_same_each_time() -> None:
    """Prompts come from source files and carry the format's control tokens in its order; answers are not in them."""
    tokenizer = train_tokenizer()
    fim, texts = find_format(tokenizer)
    samples = verification_samples(plain_encoder(tokenizer), fim)
    assert samples == verification_samples(plain_encoder(tokenizer), fim)
    assert len(samples) > 10
    assert texts["prefix"] == "<|fim_prefix|>"
    for sample in samples:
        assert sample.prompt[:2] == [fim.prefix, fim.suffix]
        assert sample.prompt.count(fim.middle) == 1
        assert fim.middle not in sample.answer
        assert 1 <= len(sample.answer) <= 32


def test_calibration_sees_nothing_that_is_verified() -> None:
    """The activations looked at come from other files than those the bundle is examined on."""
    tokenizer = train_tokenizer()
    fim, _ = find_format(tokenizer)
    encode = plain_encoder(tokenizer)
    verified = [sample.ids for sample in verification_samples(encode, fim)]
    calibrated = calibration_prompts(encode, fim)
    assert len(calibrated) > 20
    assert not [prompt for prompt in calibrated if prompt in verified]
