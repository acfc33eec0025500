"""Charts: they are valid SVG, and every point is in the right place."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest

from midfill.common.plot import bar_chart, distribution, line_chart

SVG = "{http://www.w3.org/2000/svg}"


def test_chart_has_its_lines_and_labels() -> None:
    """Each line is a polyline of its points, and names are escaped."""
    chart = line_chart("a < b", "tokens", "ms", {"ours": [(0, 0), (10, 40)], "theirs & co": [(5, 20)]})
    root = ElementTree.fromstring(chart)  # noqa: S314 (our own)
    texts = {element.text for element in root.iter(f"{SVG}text")}
    assert {"a < b", "tokens", "ms", "ours", "theirs & co"} <= texts
    assert [len(line.attrib["points"].split()) for line in root.iter(f"{SVG}polyline")] == [2, 1]


def test_points_are_to_scale() -> None:
    """The middle of both axes is halfway between their ends."""
    chart = line_chart("", "", "", {"line": [(0, 0), (5, 50), (10, 100)]}, y_max=100)
    line = next(ElementTree.fromstring(chart).iter(f"{SVG}polyline"))  # noqa: S314 (our own)
    start, middle, end = ([float(number) for number in point.split(",")] for point in line.attrib["points"].split())
    assert middle == pytest.approx([(start[0] + end[0]) / 2, (start[1] + end[1]) / 2])
    assert end[0] > start[0]
    assert end[1] < start[1]


@pytest.mark.parametrize(("value", "top"), [(32, "50"), (100, "100"), (101, "200"), (0.7, "0.75")])
def test_axis_ends_at_a_round_number(value: float, top: str) -> None:
    """The number is the next one above the largest value."""
    chart = line_chart("", "", "", {"line": [(value, 1)]})
    assert f">{top}</text>" in chart


def test_chart_of_nothing() -> None:
    """It has axes nevertheless."""
    assert "<polyline" not in line_chart("empty", "", "", {})


def test_distribution_steps_up_at_each_value() -> None:
    """The steps are in percent of all values, including infinite ones."""
    points = distribution([200.0, 100.0, math.inf, 5000.0], until=1000.0)
    assert points == [(0, 0), (100, 0), (100, 25), (200, 25), (200, 50), (1000, 50)]


def test_bars_are_as_long_as_their_values() -> None:
    """Each row has a name, and each bar a value; a screen reader says the title."""
    rows = {"first & last": {"shown": 10.0, "kept": 5.0}, "none": {"shown": 0.0}, "empty": {}}
    root = ElementTree.fromstring(bar_chart("a < b", rows, " ms"))  # noqa: S314 (our own)
    bars = [bar for bar in root.iter(f"{SVG}rect") if bar.get("fill")]
    widths = [float(bar.get("width", "")) for bar in bars]
    assert widths[1] * 2 == pytest.approx(widths[0])
    assert widths[2] == 0
    assert [bar.get("class") for bar in bars] == ["c0", "c1", "c0"]
    texts = {element.text for element in root.iter(f"{SVG}text")}
    assert {"a < b", "first & last", "none", "empty", "shown", "kept", "10 ms", "5 ms", "0 ms"} <= texts
    assert (root.get("role"), root.get("aria-label")) == ("img", "a < b")


def test_bars_without_values() -> None:
    """There is a picture all the same."""
    assert ElementTree.fromstring(bar_chart("none", {})).get("role") == "img"  # noqa: S314 (our own)
