"""The comparison that decides whether a bundle is the model."""

from __future__ import annotations

import numpy as np
import pytest

from midfill.fim import FimFormat
from midfill_export.formats import find_format, find_stop_tokens
from midfill_export.verify import compare, largest_difference, plain_encoder, sample_prompts

from .conftest import train_tokenizer


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


def test_prompts_are_real_and_the_same_each_time() -> None:
    """Prompts come from source files, carry the format's control tokens in its order, and end in their answer."""
    tokenizer = train_tokenizer()
    fim, texts = find_format(tokenizer)
    prompts = sample_prompts(plain_encoder(tokenizer), fim, 5)
    assert prompts == sample_prompts(plain_encoder(tokenizer), fim, 5)
    assert len(prompts) == 5
    assert texts["prefix"] == "<|fim_prefix|>"
    for prompt in prompts:
        assert prompt[:2] == [fim.prefix, fim.suffix]
        assert prompt.count(fim.middle) == 1
        assert prompt.index(fim.middle) < len(prompt) - 10


def test_tokenizer_without_control_tokens_completes_from_the_prefix() -> None:
    """Without a known triplet of control tokens the format is prefix only, and the declared stops are all there is."""
    from tokenizers import Tokenizer, models

    tokenizer = Tokenizer(models.WordLevel({"a": 0, "[UNK]": 1}, unk_token="[UNK]"))  # noqa: S106 - not a password
    fim, texts = find_format(tokenizer)
    assert (fim, texts) == (FimFormat(order="prefix-only"), {})
    assert find_stop_tokens(tokenizer, fim, [1]) == [1]
