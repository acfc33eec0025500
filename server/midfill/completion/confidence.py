"""How sure the model was of a suggestion."""

from __future__ import annotations

import math
from collections.abc import Sequence


def confidence(logprobs: Sequence[float]) -> float | None:
    """Return the probability that all tokens are right, 0 to 1, by the model's own lights; None without tokens.

    That is what somebody who types asks of a suggestion, and it falls with its length.
    """
    return math.exp(sum(logprobs)) if logprobs else None
