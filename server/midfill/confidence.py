"""How sure the model was of a suggestion."""

from __future__ import annotations

import math
from collections.abc import Sequence


def confidence(logprobs: Sequence[float]) -> float | None:
    """Return the geometric mean of the tokens' probabilities, 0 to 1; None without tokens.

    The measure of length-normalised sequence likelihood: it does not hold a suggestion's length against it.
    """
    return math.exp(sum(logprobs) / len(logprobs)) if logprobs else None
