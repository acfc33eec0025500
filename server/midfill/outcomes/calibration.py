"""Calibrates the model's confidence to what was accepted on this machine: Platt scaling with one parameter.

Platt (1999) maps a score to a probability by a logistic function that is fitted to outcomes. Here the score is already
a probability, so only its log-odds are shifted. The shift is the one that best explains how many suggestions of each
confidence were accepted or typed. A normal prior keeps it small while there are few suggestions.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import NamedTuple

from midfill.settings.schema import ATTRIBUTES, Settings

_MIN_SHOWN = 50
"""Minimum number of shown suggestions for a calibration."""
_PRIOR = 0.5
"""Standard deviation of the shift in the prior, in log-odds."""
_MAX_SHIFT = 1.0
"""Maximum size of the shift, in log-odds. Without it, a user who never accepts anything would get no suggestions at
all, and so would a client that does not show all suggestions."""
_STEPS = 20
"""Number of steps of Newton's method. It needs far fewer, because the likelihood is concave."""


class ConfidenceBin(NamedTuple):
    """Counts of the suggestions with about the same confidence."""

    confidence: float
    """Strictly between 0 and 1."""
    shown: int
    accepted: int
    """Number of suggestions that were accepted or typed."""


def shift(counts: Sequence[ConfidenceBin]) -> float:
    """Return the difference between the log-odds of acceptance and those of the confidence; 0 if too few were shown."""
    if sum(count.shown for count in counts) < _MIN_SHOWN:
        return 0.0
    found = 0.0
    for _ in range(_STEPS):
        slope, curvature = -found / _PRIOR**2, 1 / _PRIOR**2
        for count in counts:
            expected = _probability(_log_odds(count.confidence) + found)
            slope += min(count.accepted, count.shown) - count.shown * expected
            curvature += count.shown * expected * (1 - expected)
        found += slope / curvature
    return max(-_MAX_SHIFT, min(found, _MAX_SHIFT))


def calibrated(settings: Settings, log_odds: float) -> Settings:
    """Return settings in which ``min_confidence`` means the probability of acceptance, in every language.

    Args:
        settings: the settings as the user wrote them.
        log_odds: the result of :func:`shift`.
    """
    if not log_odds:
        return settings
    name = next(name for name, attribute in ATTRIBUTES.items() if attribute == "min_confidence")
    return dataclasses.replace(
        settings,
        min_confidence=min_confidence_for(settings.min_confidence, log_odds),
        languages={
            language: {**own, name: min_confidence_for(own[name], log_odds)} if name in own else own
            for language, own in settings.languages.items()
        },
    )


def min_confidence_for(acceptance: float, log_odds: float) -> float:
    """Return the confidence of suggestions that are accepted with the probability ``acceptance``, 0 to 1.

    Args:
        acceptance: the probability; 0 and 1 are returned unchanged.
        log_odds: the result of :func:`shift`.
    """
    return _probability(_log_odds(acceptance) - log_odds) if 0 < acceptance < 1 else acceptance


def _log_odds(probability: float) -> float:
    return math.log(probability / (1 - probability))


def _probability(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))
