"""Score how well a model answers what it was not trained on, gaps or edits, from logits alone, without decoding.

Greedy decoding writes an answer exactly if the likeliest token is the right one at each position, given the right
tokens before it. So one run over the sample gives both this and the perplexity.
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
    """The result over some samples."""

    perplexity: float
    """Perplexity of the tokens of the answers."""
    exact: float
    """Share of answers that greedy decoding writes exactly."""
    samples: int

    def __str__(self) -> str:
        return f"perplexity {self.perplexity:.3f}, {self.exact:.1%} of {self.samples} answers exact"


def score(samples: Sequence[Sample], logits: Sequence[NDArray[np.float32]]) -> Score:
    """Return the score of the logits (answer, V) of each sample."""
    surprise, places, exact = 0.0, 0, 0
    for sample, rows in zip(samples, logits, strict=True):
        shifted = rows.astype(np.float64) - rows.max(axis=1, keepdims=True)
        chosen = shifted[np.arange(len(rows)), sample.answer]
        surprise += float((np.log(np.exp(shifted).sum(axis=1)) - chosen).sum())
        places += len(rows)
        exact += bool((rows.argmax(axis=1) == sample.answer).all())
    return Score(math.exp(surprise / places), exact / len(samples), len(samples))
