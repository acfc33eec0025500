"""How well a model fills gaps of code that it did not learn: by its logits, without decoding.

Greedy decoding writes a gap exactly if the likeliest token is the right one at each of its places, given those before
it; so one reading of the sample tells both that and the perplexity.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from midfill_export.build.verify import Sample


@dataclass(frozen=True)
class Score:
    """What some samples come to."""

    perplexity: float
    """Of the tokens that fill the gaps."""
    exact: float
    """Share of gaps that greedy decoding fills exactly."""
    samples: int

    def __str__(self) -> str:
        return f"perplexity {self.perplexity:.3f}, {self.exact:.1%} of {self.samples} gaps filled exactly"


def judge(samples: Sequence[Sample], logits: Sequence[NDArray[np.float32]]) -> Score:
    """Return what logits (answer, V) of each sample say."""
    surprise, places, exact = 0.0, 0, 0
    for sample, rows in zip(samples, logits, strict=True):
        shifted = rows.astype(np.float64) - rows.max(axis=1, keepdims=True)
        chosen = shifted[np.arange(len(rows)), sample.answer]
        surprise += float((np.log(np.exp(shifted).sum(axis=1)) - chosen).sum())
        places += len(rows)
        exact += bool((rows.argmax(axis=1) == sample.answer).all())
    return Score(math.exp(surprise / places), exact / len(samples), len(samples))
