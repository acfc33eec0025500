"""The model's confidence in a suggestion."""

from __future__ import annotations

import math
from collections.abc import Sequence


def confidence(logprobs: Sequence[float]) -> float | None:
    """Return the model's probability that all tokens are correct, 0 to 1; None if there are no tokens.

    ``logprobs`` are natural logarithms of the tokens' probabilities. A longer suggestion has a lower confidence.
    """
    return math.exp(sum(logprobs)) if logprobs else None
