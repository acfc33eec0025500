"""Figures: medians, ratios of turns, and percentiles with keystrokes that were never answered."""

from __future__ import annotations

import math

import pytest

from midfill.bench.figures import Samples, Wanted, percentile, ratio_of, take_turns


def test_turns_alternate() -> None:
    """Midfill is measured, then the peer, then Midfill again."""
    order: list[str] = []

    def measure(name: str, value: float) -> float:
        order.append(name)
        return value

    samples = take_turns(2, lambda: measure("ours", 6.0), lambda: measure("peer", 3.0))
    assert order == ["ours", "peer", "ours", "peer"]
    assert samples.ratio == 2.0


def test_ratio_is_of_neighbours() -> None:
    """A machine that slows down to a third in the middle of a run does not change the ratio."""
    figure = Samples([90.0, 30.0, 30.0], [45.0, 45.0, 15.0]).figure("speed", "tokens/s")
    assert (figure.value, figure.peer) == (30.0, 45.0)
    assert figure.ratio == 2.0


def test_figure_without_a_peer_has_no_ratio() -> None:
    """A figure needs no peer."""
    figure = take_turns(3, lambda: 4.0).figure("speed", "tokens/s", Wanted(3.0))
    assert (figure.value, figure.peer, figure.ratio, figure.note) == (4.0, None, None, "")


def test_nothing_measured_is_no_zero() -> None:
    """A figure without a run has no value, and says so."""
    figure = Samples().figure("stop", "ms")
    assert figure.value is None
    assert figure.note == "nothing was measured"


@pytest.mark.parametrize(
    ("wanted", "good", "bad", "text"),
    [(Wanted(3.0), 3.0, 2.9, "at least 3.0"), (Wanted(0.5, at_most=True), 0.5, 0.6, "at most 0.5")],
)
def test_wanted_ratios(wanted: Wanted, good: float, bad: float, text: str) -> None:
    """A larger ratio is better for speeds, a smaller one for times."""
    assert wanted.is_met_by(good)
    assert not wanted.is_met_by(bad)
    assert str(wanted) == text


@pytest.mark.parametrize(("percent", "expected"), [(50, 2.0), (75, 3.0), (95, None), (1, 1.0)])
def test_percentile_of_the_unanswered_is_nothing(percent: float, expected: float | None) -> None:
    """The method is nearest rank; an infinite percentile is None."""
    assert percentile([3.0, math.inf, 1.0, 2.0], percent) == expected


def test_percentile_of_nothing() -> None:
    """There is no percentile without values."""
    assert percentile([], 50) is None


@pytest.mark.parametrize(("ours", "peer"), [(None, 1.0), (1.0, None), (1.0, 0.0)])
def test_ratio_needs_both(ours: float | None, peer: float | None) -> None:
    """A missing value or a peer's zero gives no ratio."""
    assert ratio_of(ours, peer) is None
