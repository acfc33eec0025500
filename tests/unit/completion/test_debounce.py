"""Adaptive debounce: how long to wait for the next key."""

from __future__ import annotations

import pytest

from midfill.completion.debounce import AdaptiveDebounce


def typed(*intervals: float) -> AdaptiveDebounce:
    """Return the debounce after a first key and further keys at these intervals, in seconds."""
    debounce, now = AdaptiveDebounce(), 100.0
    debounce.key(now)
    for interval in intervals:
        now += interval
        debounce.key(now)
    return debounce


@pytest.mark.parametrize(
    ("intervals", "longest", "wait"),
    [
        ((), 1.0, 0.0),
        ((0.1, 0.1), 1.0, 0.0),
        ((0.1, 0.1, 0.1), 1.0, 0.13),
        ((0.1, 0.1, 30.0, 0.1), 1.0, 0.13),
        ((0.2, 0.1, 0.9), 1.0, 0.26),
        ((0.2, 0.2, 0.2), 0.25, 0.0),
        ((0.5,) * 20 + (0.1,) * 12, 1.0, 0.13),
        ((0.0,) * 5, 1.0, 0.0),
    ],
    ids=["first key", "too few", "steady", "a pause is no interval", "median", "slower than the longest", "of late",
         "keys at once"],
)  # fmt: skip
def test_wait_is_a_little_more_than_the_usual_interval(
    intervals: tuple[float, ...], longest: float, wait: float
) -> None:
    """The wait is 1.3 times the median interval, and 0 if the speed is unknown or the wait would be too long."""
    assert typed(*intervals).wait(longest) == pytest.approx(wait)
