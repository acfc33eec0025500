"""Line charts as SVG, plain enough to be read as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

Points = Sequence[tuple[float, float]]

_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 48, 48
_COLOURS = ("#0b7285", "#e8590c")
_TICKS = 5


def line_chart(title: str, x_label: str, y_label: str, lines: Mapping[str, Points], y_max: float | None = None) -> str:
    """Draw up to two named lines, both axes from 0; the points of each in the order of their x."""
    points = [point for line in lines.values() for point in line]
    right = _ceiling(max((x for x, _ in points), default=1.0))
    top = y_max or _ceiling(max((y for _, y in points), default=1.0))

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            _LEFT + x / right * (_WIDTH - _LEFT - _RIGHT),
            _HEIGHT - _BOTTOM - y / top * (_HEIGHT - _TOP - _BOTTOM),
        )

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif"'
        f' font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        _text(_LEFT, 20, title, size=14),
    ]
    for tick in range(_TICKS + 1):
        x, y = right * tick / _TICKS, top * tick / _TICKS
        across, up = place(x, 0)[0], place(0, y)[1]
        parts += [
            f'<path d="M{_LEFT} {up:.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>',
            _text(_LEFT - 8, up + 4, f"{y:g}", anchor="end"),
            _text(across, _HEIGHT - _BOTTOM + 18, f"{x:g}", anchor="middle"),
        ]
    parts += [
        _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 10, x_label, anchor="middle"),
        _text(_LEFT, 40, y_label),
    ]
    for number, (name, line) in enumerate(lines.items()):
        colour = _COLOURS[number]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in line))
        parts += [
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
            _text(_WIDTH - _RIGHT, 20 + 16 * number, name, anchor="end", colour=colour),
        ]
    return "\n".join([*parts, "</svg>", ""])


def distribution(values: Sequence[float], until: float) -> Points:
    """Return the steps of the cumulative distribution of ``values`` from 0 to ``until``, in percent."""
    steps = [(0.0, 0.0)]
    for number, value in enumerate(sorted(value for value in values if value <= until), start=1):
        steps += [(value, steps[-1][1]), (value, 100 * number / len(values))]
    return [*steps, (until, steps[-1][1])]


def _ceiling(value: float) -> float:
    """Round up to a number whose fifths are easily read."""
    scale = 1.0
    while scale * 10 < value:
        scale *= 10
    while scale >= value > 0:
        scale /= 10
    return next((scale * step for step in (1, 2, 2.5, 5, 7.5) if scale * step >= value), scale * 10)


def _text(x: float, y: float, text: str, anchor: str = "start", size: int = 12, colour: str = "#222") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}">{escape(text)}</text>'
    )
