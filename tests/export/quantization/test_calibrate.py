"""Calibration sums up the second moments of activations, the same on each run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from midfill_export.graph.decoder import decoder_graph
from midfill_export.loaders.gguf_file import open_gguf
from midfill_export.quantization.calibrate import second_moments
from midfill_export.weights.weights import Weights

PROMPTS = ([5, 60, 81, 200, 7, 33, 150], [90, 12, 260, 44, 71, 9], [1, 2])


def test_calibration_is_the_same_each_time(weights: Weights, gguf_file: Path) -> None:
    """Two runs sum up the same moments, to the bit, and report their progress."""
    shares: list[float] = []
    first, second = (second_moments(decoder_graph(open_gguf(gguf_file)), PROMPTS, shares.append) for _ in range(2))
    assert shares == [1.0, 1.0]
    assert len(first.covariances) == 5
    assert len(first.squares) == 2
    for ours, theirs in ((first.covariances, second.covariances), (first.squares, second.squares)):
        assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)
