"""Calibration of the minimum confidence to what was accepted."""

from __future__ import annotations

import random

import pytest

from midfill.outcomes.calibration import ConfidenceBin, calibrated, min_confidence_for, shift
from midfill.settings.schema import Settings


def acceptance(odds: float, each: int = 100) -> list[ConfidenceBin]:
    """Return the counts of a user whose odds of accepting are ``odds`` times those of the model's confidence."""
    counts = []
    for confidence in (0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95):
        scaled = odds * confidence / (1 - confidence)
        counts.append(ConfidenceBin(confidence, each, round(each * scaled / (1 + scaled))))
    return counts


@pytest.mark.parametrize("odds", [0.5, 0.8, 1.0, 1.5, 2.0])
def test_odds_of_acceptance_are_found(odds: float) -> None:
    """With many suggestions the prior has little weight, and the minimum means the probability of acceptance."""
    minimum = min_confidence_for(0.35, shift(acceptance(odds, each=2000)))
    assert odds * minimum / (1 - minimum) == pytest.approx(0.35 / 0.65, rel=0.05)


def test_few_suggestions_shift_little() -> None:
    """Too few suggestions shift nothing, and a few shift less than many with the same acceptance."""
    assert shift([ConfidenceBin(0.5, 49, 0)]) == 0.0
    few, many = shift([ConfidenceBin(0.5, 60, 20)]), shift([ConfidenceBin(0.5, 6000, 2000)])
    assert many < few < -0.1


@pytest.mark.parametrize(("accepted", "expected"), [(0, -1.0), (100_000, 1.0)], ids=["never", "always"])
def test_shift_is_limited(accepted: int, expected: float) -> None:
    """A user who never accepts anything still gets suggestions of a higher confidence."""
    log_odds = shift([ConfidenceBin(0.5, 100_000, accepted)])
    assert log_odds == expected
    assert 0.15 < min_confidence_for(0.35, log_odds) < 0.6


def test_any_counts_give_a_probability() -> None:
    """Damaged counts, such as more accepted than shown, also give a probability."""
    chance = random.Random(1)  # noqa: S311
    for _ in range(300):
        counts = [ConfidenceBin(n / 10 + 0.05, chance.randrange(10**6), chance.randrange(10**6)) for n in range(10)]
        assert 0 < min_confidence_for(chance.random(), shift(counts)) < 1


def test_settings_of_all_languages_are_calibrated() -> None:
    """The minimum of each language is shifted too, and 0, which turns it off, stays 0."""
    settings = Settings(min_confidence=0.5, languages={"go": {"minConfidence": 0.8}, "c": {"maxLines": 1}})
    found = calibrated(settings, -1.0)
    assert found.min_confidence == pytest.approx(0.731, abs=0.001)
    assert found.for_language("go").min_confidence == pytest.approx(0.916, abs=0.001)
    assert found.for_language("c").min_confidence == found.min_confidence
    assert calibrated(Settings(min_confidence=0), -1.0).min_confidence == 0
    assert calibrated(settings, 0.0) is settings
