"""The score of a model on held-out gaps."""

from __future__ import annotations

import numpy as np

from midfill_export.build.verify import Sample
from midfill_export.tuning.scoring import score


def test_score_counts_what_greedy_decoding_would_write() -> None:
    """A gap is filled exactly if every token is the likeliest; perplexity is of all tokens together."""
    even = np.zeros((2, 4), np.float32)
    sure = np.full((2, 4), -30.0, np.float32)
    sure[0, 3] = sure[1, 1] = 30.0
    found = score([Sample([0], [3, 1]), Sample([0], [2, 1])], [sure, even])
    assert found.exact == 0.5
    assert abs(found.perplexity - 2.0) < 1e-3  # four ways for half of the tokens
