"""Pure: logits -> the next token, the likeliest or one drawn at random, and how likely it was.

The filters are the usual ones: top-k (Fan et al., arXiv:1805.04833) and top-p, or nucleus (Holtzman et al.,
arXiv:1904.09751), both after the temperature.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Pick = Callable[[NDArray[np.float32]], int]
"""Logits (n,) -> the index of the one chosen."""


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How tokens are drawn; the same seed draws the same text."""

    temperature: float = 1.0
    """What logits are divided by, more than 0: less than 1 makes the likely likelier."""
    top_k: int = 0
    """Only so many of the likeliest tokens may be drawn; 0 for all."""
    top_p: float = 1.0
    """Only the likeliest tokens that together have this probability may be drawn, at least one of them."""
    seed: int = 0


class Choice(NamedTuple):
    """A token chosen, and the one that would have been next in line."""

    token: int
    logprob: float
    """Natural logarithm of the token's probability among those that could be chosen, at temperature 1."""
    runner_up: int
    """The likeliest other token that could have been chosen; -1 where there was none."""
    runner_up_logprob: float


def greedy(logits: NDArray[np.float32]) -> int:
    """Return the index of the largest of logits (n,), the first of several."""
    return int(logits.argmax())


class Sampler:
    """Draws one token after another; each takes one number from the stream that the seed began, whatever the logits.

    So a text does not depend on how its tokens were split into steps.
    """

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        self._random = np.random.default_rng(sampling.seed)

    def __call__(self, logits: NDArray[np.float32]) -> int:
        """Draw an index of logits (n,)."""
        return sample(logits, self._sampling, self._random)


def sample(logits: NDArray[np.float32], sampling: Sampling, random: np.random.Generator) -> int:
    """Draw an index of logits (n,) with a single number of ``random``."""
    # Subtract first: a tiny temperature would make infinities of the logits themselves.
    weights = np.exp((logits.astype(np.float64) - logits.max()) / sampling.temperature)
    if 0 < sampling.top_k < len(weights):
        weights[weights < np.partition(weights, -sampling.top_k)[-sampling.top_k]] = 0.0
    if sampling.top_p < 1.0:
        weights[weights < _smallest_in_nucleus(weights, sampling.top_p)] = 0.0
    cumulative = weights.cumsum()
    return int(np.searchsorted(cumulative, random.random() * cumulative[-1], side="right"))


def choose(logits: NDArray[np.float32], allowed: NDArray[np.int64] | None, pick: Pick) -> Choice:
    """Let ``pick`` choose from logits (V,), among the ids ``allowed`` or, for None, all."""
    scores = logits if allowed is None else logits[allowed]  # (n,)
    index = pick(scores)
    runner_up = _best_but(scores, index)
    token, runner_up = (at if allowed is None or at < 0 else int(allowed[at]) for at in (index, runner_up))
    peak = float(scores.max())
    log_sum = peak + float(np.log(np.exp(scores - peak).sum()))
    return Choice(
        token,
        float(logits[token]) - log_sum,
        runner_up,
        float(logits[runner_up]) - log_sum if runner_up >= 0 else -np.inf,
    )


def _best_but(scores: NDArray[np.float32], index: int) -> int:
    """Return the index of the largest of scores (n,) but for one; -1 when there is no other."""
    before, after = scores[:index], scores[index + 1 :]
    best = [int(before.argmax())] if len(before) else []
    best += [index + 1 + int(after.argmax())] if len(after) else []
    return max(best, key=scores.__getitem__, default=-1)


def _smallest_in_nucleus(weights: NDArray[np.float64], share: float) -> float:
    """Return the smallest of the fewest weights (n,) that make up ``share`` of their sum."""
    total = float(weights.sum())
    # What is below lies outside for certain, for all of it makes up less than the rest; sorting so few is cheap.
    descending = np.sort(weights[weights >= (1.0 - share) * total / len(weights)])[::-1]
    reached = int(np.searchsorted(descending.cumsum(), share * total))
    return float(descending[min(reached, len(descending) - 1)])
