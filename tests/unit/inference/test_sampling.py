"""Choosing the next token, greedily or at random, and its probability."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from midfill.inference.sampling import Sampler, Sampling, choose, greedy, sample

LOGITS = np.log(np.array([0.05, 0.5, 0.15, 0.3], np.float32))
logits = arrays(np.float32, st.integers(1, 30), elements=st.floats(-20, 20, width=32))
several_logits = arrays(np.float32, st.integers(2, 30), elements=st.floats(-20, 20, width=32))


def drawn(sampling: Sampling, scores: NDArray[np.float32] = LOGITS, times: int = 4000) -> NDArray[np.float64]:
    """Draw many times, and return the frequency of each index."""
    random = np.random.default_rng(7)
    counts = np.bincount([sample(scores, sampling, random) for _ in range(times)], minlength=len(scores))
    return np.asarray(counts / times)


def test_plain_sampling_follows_the_probabilities() -> None:
    """Without a filter, each token is drawn as often as the softmax says."""
    assert drawn(Sampling()) == pytest.approx([0.05, 0.5, 0.15, 0.3], abs=0.03)


def test_temperature_sharpens_and_flattens() -> None:
    """The distribution is the softmax of the logits divided by the temperature."""
    squares = np.array([0.05, 0.5, 0.15, 0.3]) ** 2
    assert drawn(Sampling(temperature=0.5)) == pytest.approx(squares / squares.sum(), abs=0.03)
    assert drawn(Sampling(temperature=100.0)) == pytest.approx([0.25] * 4, abs=0.04)


@pytest.mark.parametrize("temperature", [1e-6, 1e-300])
def test_tiny_temperature_is_greedy(temperature: float) -> None:
    """A very low temperature does not overflow, and only the most likely token is drawn."""
    assert drawn(Sampling(temperature=temperature), times=50)[1] == 1.0


def test_top_k_leaves_the_most_likely_tokens() -> None:
    """Only the k most likely tokens are drawn, in proportion to their probabilities."""
    assert drawn(Sampling(top_k=2)) == pytest.approx([0, 0.625, 0, 0.375], abs=0.03)
    assert drawn(Sampling(top_k=99)) == pytest.approx(drawn(Sampling()))


@pytest.mark.parametrize(
    ("share", "left"), [(0.4, {1}), (0.5, {1}), (0.6, {1, 3}), (0.81, {1, 2, 3}), (0.99, {0, 1, 2, 3})]
)
def test_top_p_leaves_the_nucleus(share: float, left: set[int]) -> None:
    """Only the smallest set of tokens that together reach the probability is drawn; at least one token."""
    assert set(np.flatnonzero(drawn(Sampling(top_p=share)))) == left


@given(logits, st.floats(0.01, 0.999), st.integers(0, 2**32))
def test_nucleus_is_found_without_sorting_everything(scores: NDArray[np.float32], share: float, seed: int) -> None:
    """Every drawn token is in the nucleus that a full sort finds."""
    weights = np.exp(scores.astype(np.float64) - scores.max())
    descending = np.sort(weights)[::-1]
    needed = int(np.searchsorted(descending.cumsum(), share * weights.sum() * (1 + 1e-9)))
    smallest = descending[min(needed, len(weights) - 1)]
    token = sample(scores, Sampling(top_p=share), np.random.default_rng(seed))
    assert weights[token] >= smallest * (1 - 1e-9)


@given(st.integers(0, 2**32))
def test_seed_decides(seed: int) -> None:
    """The same seed draws the same tokens, and another seed draws others."""
    again, other = Sampler(Sampling(seed=seed)), Sampler(Sampling(seed=seed + 1))
    sampler = Sampler(Sampling(seed=seed))
    tokens = [sampler(LOGITS) for _ in range(64)]
    assert tokens == [again(LOGITS) for _ in range(64)]
    assert tokens != [other(LOGITS) for _ in range(64)]


@pytest.mark.parametrize("drawn_before", [0, 1, 17])
def test_interrupted_text_goes_on_with_the_numbers_that_are_left(drawn_before: int) -> None:
    """As if it had not been interrupted, whatever filters there are."""
    sampling = Sampling(seed=4, top_k=3)
    whole = Sampler(sampling)
    tokens = [whole(LOGITS) for _ in range(40)]
    rest = Sampler(replace(sampling, drawn=drawn_before))
    assert [rest(LOGITS) for _ in range(40 - drawn_before)] == tokens[drawn_before:]


def test_each_draw_takes_one_number() -> None:
    """Filters do not change how many random numbers a draw uses."""
    first, second = np.random.default_rng(3), np.random.default_rng(3)
    sample(LOGITS, Sampling(top_k=1), first)
    sample(np.zeros(9, np.float32), Sampling(top_p=0.5), second)
    assert first.random() == second.random()


def test_greedy_takes_the_first_of_the_largest() -> None:
    """Of equal logits, the lowest id is taken."""
    assert greedy(np.array([1, 3, 3], np.float32)) == 1


def test_choice_has_its_probability_and_its_runner_up() -> None:
    """The log-probabilities are natural logarithms of the softmax; the runner-up is the second most likely token."""
    choice = choose(LOGITS + 5, None, greedy)
    assert (choice.token, choice.runner_up) == (1, 3)
    assert choice.logprob == pytest.approx(math.log(0.5), abs=1e-5)
    assert choice.runner_up_logprob == pytest.approx(math.log(0.3), abs=1e-5)


def test_choice_among_the_allowed() -> None:
    """Token and runner-up are both allowed ones, and the probabilities are those among the allowed tokens."""
    choice = choose(LOGITS, np.array([3, 0]), greedy)
    assert (choice.token, choice.runner_up) == (3, 0)
    assert choice.logprob == pytest.approx(math.log(0.3 / 0.35), abs=1e-5)
    assert choice.runner_up_logprob == pytest.approx(math.log(0.05 / 0.35), abs=1e-5)


def test_only_choice_has_no_runner_up() -> None:
    """If only one token is allowed, there is no runner-up."""
    choice = choose(LOGITS, np.array([2]), greedy)
    assert (choice.token, choice.runner_up, choice.runner_up_logprob) == (2, -1, -math.inf)


@given(several_logits, st.data())
def test_runner_up_is_the_best_of_the_rest(scores: NDArray[np.float32], data: st.DataObject) -> None:
    """Only the picked token may be more likely than the runner-up, and all probabilities add up to one."""
    picked = data.draw(st.integers(0, len(scores) - 1))
    choice = choose(scores, None, lambda _: picked)
    assert choice.token == picked
    assert choice.runner_up != picked
    assert scores[choice.runner_up] == max(score for index, score in enumerate(scores) if index != picked)


@given(logits)
def test_all_probabilities_add_up_to_one(scores: NDArray[np.float32]) -> None:
    """Each token has the probability of the softmax, picked or not."""

    def logprob(token: int) -> float:
        return choose(scores, None, lambda _: token).logprob

    total = sum(math.exp(logprob(token)) for token in range(len(scores)))
    assert total == pytest.approx(1.0, abs=1e-4)
