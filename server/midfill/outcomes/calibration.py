"""What the model's confidence is worth on this machine, by what was accepted: Platt scaling with one parameter.

Platt (1999) maps a score to a probability by a logistic function fitted to outcomes. Here the score is a probability
already, so only its odds are scaled: by as much as explains best how many suggestions of each confidence were accepted,
or typed, held back by a normal prior while there are few.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import NamedTuple

from midfill.settings.schema import ATTRIBUTES, Settings

_FEWEST = 50
"""Suggestions shown before anything is made of it."""
_PRIOR = 0.5
"""Standard deviation of the shift expected, in log-odds."""
_LARGEST = 1.0
"""A client that shows less than it is given, or a person who never accepts, must not silence Midfill for good."""
_STEPS = 20
"""Of Newton's method, which needs far fewer: the likelihood is concave."""


class ConfidenceBin(NamedTuple):
    """How many suggestions of about one confidence were shown, and how many of them accepted or typed."""

    confidence: float
    """Strictly between 0 and 1."""
    shown: int
    accepted: int


def shift(counts: Sequence[ConfidenceBin]) -> float:
    """Return what to add to the log-odds of a confidence to get those of acceptance; 0 while too little is known."""
    if sum(count.shown for count in counts) < _FEWEST:
        return 0.0
    found = 0.0
    for _ in range(_STEPS):
        slope, curvature = -found / _PRIOR**2, 1 / _PRIOR**2
        for count in counts:
            expected = _probability(_log_odds(count.confidence) + found)
            slope += min(count.accepted, count.shown) - count.shown * expected
            curvature += count.shown * expected * (1 - expected)
        found += slope / curvature
    return max(-_LARGEST, min(found, _LARGEST))


def calibrated(settings: Settings, by: float) -> Settings:
    """Return settings whose ``min_confidence``, of each language too, asks for that probability of acceptance."""
    if not by:
        return settings
    name = next(name for name, attribute in ATTRIBUTES.items() if attribute == "min_confidence")
    return dataclasses.replace(
        settings,
        min_confidence=least_confidence(settings.min_confidence, by),
        languages={
            language: {**own, name: least_confidence(own[name], by)} if name in own else own
            for language, own in settings.languages.items()
        },
    )


def least_confidence(acceptance: float, by: float) -> float:
    """Return the confidence from which on suggestions are accepted with probability ``acceptance``, 0 to 1."""
    return _probability(_log_odds(acceptance) - by) if 0 < acceptance < 1 else acceptance


def _log_odds(probability: float) -> float:
    return math.log(probability / (1 - probability))


def _probability(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))
