"""Chooses the next token from logits: the most likely one, or one drawn at random. Pure functions.

Sampling uses the temperature, then top-k (Fan et al., arXiv:1805.04833) and top-p, also called nucleus sampling
(Holtzman et al., arXiv:1904.09751).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Pick = Callable[[NDArray[np.float32]], int]
"""Takes logits (n,) and returns the index of the chosen one."""


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How tokens are drawn at random. The same seed draws the same text."""

    temperature: float = 1.0
    """Logits are divided by it. It is more than 0; below 1 it makes likely tokens even more likely."""
    top_k: int = 0
    """Number of the most likely tokens that may be drawn; 0 for all."""
    top_p: float = 1.0
    """The smallest set of most likely tokens with at least this total probability may be drawn; at least one token."""
    seed: int = 0
    drawn: int = 0
    """Number of tokens that were drawn before. The random numbers for them are skipped."""

    def after(self, tokens: int) -> Sampling:
        """Return how to draw on when so many more tokens were drawn."""
        return replace(self, drawn=self.drawn + tokens)


class Choice(NamedTuple):
    """A chosen token and its runner-up."""

    token: int
    logprob: float
    """Natural logarithm of the token's probability among the allowed tokens, at temperature 1."""
    runner_up: int
    """The most likely other token among the allowed ones; -1 if there is no other."""
    runner_up_logprob: float
    """The same for the runner-up; negative infinity if there is none."""


def greedy(logits: NDArray[np.float32]) -> int:
    """Return the index of the largest of the logits (n,); of equal ones, the first."""
    return int(logits.argmax())


class Sampler:
    """Draws one token after another. Each takes exactly one random number, whatever the logits are.

    So the text does not depend on how its tokens were split into steps.
    """

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        self._random = np.random.default_rng(sampling.seed)
        self._random.random(sampling.drawn)

    def __call__(self, logits: NDArray[np.float32]) -> int:
        """Draw an index of the logits (n,)."""
        return sample(logits, self._sampling, self._random)


def sample(logits: NDArray[np.float32], sampling: Sampling, random: np.random.Generator) -> int:
    """Draw an index of the logits (n,) with exactly one number of ``random``."""
    # Without the subtraction, a very small temperature would turn the logits into infinities.
    weights = np.exp((logits.astype(np.float64) - logits.max()) / sampling.temperature)
    if 0 < sampling.top_k < len(weights):
        weights[weights < np.partition(weights, -sampling.top_k)[-sampling.top_k]] = 0.0
    if sampling.top_p < 1.0:
        weights[weights < _smallest_in_nucleus(weights, sampling.top_p)] = 0.0
    cumulative = weights.cumsum()
    return int(np.searchsorted(cumulative, random.random() * cumulative[-1], side="right"))


def choose(logits: NDArray[np.float32], allowed: NDArray[np.int64] | None, pick: Pick) -> Choice:
    """Let ``pick`` choose a token from the logits (V,), among the ids ``allowed`` (n,); None allows all."""
    scores = logits if allowed is None else logits[allowed]  # (n,)
    index = pick(scores)
    runner_up = _best_except(scores, index)
    token, runner_up = (at if allowed is None or at < 0 else int(allowed[at]) for at in (index, runner_up))
    log_sum = _log_sum(scores)
    return Choice(
        token,
        float(logits[token]) - log_sum,
        runner_up,
        float(logits[runner_up]) - log_sum if runner_up >= 0 else -np.inf,
    )


def probability(logits: NDArray[np.float32], token: int) -> float:
    """Return a token's probability, 0 to 1, from the logits (V,)."""
    return math.exp(log_probability(logits, token))


def log_probability(logits: NDArray[np.float32], token: int) -> float:
    """Return the natural logarithm of a token's probability, from the logits (V,)."""
    return float(logits[token]) - _log_sum(logits)


def _log_sum(scores: NDArray[np.float32]) -> float:
    """Return the logarithm of the sum of the exponentials of the scores (n,)."""
    peak = float(scores.max())
    return peak + float(np.log(np.exp(scores - peak).sum()))


def _best_except(scores: NDArray[np.float32], index: int) -> int:
    """Return the index of the largest of the scores (n,) except the one at ``index``; -1 if there is no other."""
    before, after = scores[:index], scores[index + 1 :]
    best = [int(before.argmax())] if len(before) else []
    best += [index + 1 + int(after.argmax())] if len(after) else []
    return max(best, key=scores.__getitem__, default=-1)


def _smallest_in_nucleus(weights: NDArray[np.float64], share: float) -> float:
    """Return the smallest weight of the nucleus: the fewest of the weights (n,) with ``share`` of their sum."""
    total = float(weights.sum())
    # Smaller weights than this are outside for certain: all of them together are less than 1 - share. Few are left.
    descending = np.sort(weights[weights >= (1.0 - share) * total / len(weights)])[::-1]
    reached = int(np.searchsorted(descending.cumsum(), share * total))
    return float(descending[min(reached, len(descending) - 1)])
