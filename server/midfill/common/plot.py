"""Line and bar charts as SVG. The file can be read as text, and the picture on a light and on a dark page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

Points = Sequence[tuple[float, float]]

COLOURS = 6
"""Number of colours for lines; see ``colour`` of :func:`polyline`."""
_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 48, 48
_TICKS = 5
_BAR, _ROW_GAP, _LABEL_WIDTH, _VALUE_WIDTH = 14, 10, 110, 70
"""Thickness of a bar, the space between two rows of bars, and the room for a row's name and for a value, in pixels."""
_LIGHT = ("#0b7285", "#d9480f", "#5f3dc4", "#2b8a3e", "#a61e4d", "#846200")
_DARK = ("#3bc9db", "#ffa94d", "#b197fc", "#69db7c", "#faa2c1", "#ffd43b")
_STYLE = (
    "<style>.page{fill:#fff}.text{fill:#222}.grid{stroke:#ddd}"
    + "".join(f".c{number}{{color:{colour}}}" for number, colour in enumerate(_LIGHT))
    + "@media(prefers-color-scheme:dark){.page{fill:#0d1117}.text{fill:#ddd}.grid{stroke:#333}"
    + "".join(f".c{number}{{color:{colour}}}" for number, colour in enumerate(_DARK))
    + "}</style>"
)


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The rectangle that a chart fills in a picture, in pixels, and the values at its edges."""

    left: float
    right: float
    top: float
    bottom: float
    x_min: float = 0.0
    x_max: float
    y_max: float

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return the pixel of a point. If all x are equal, they are in the middle."""
        share = (x - self.x_min) / (self.x_max - self.x_min) if self.x_max > self.x_min else 0.5
        return self.left + share * (self.right - self.left), self.bottom - y / self.y_max * (self.bottom - self.top)


def line_chart(title: str, x_label: str, y_label: str, lines: Mapping[str, Points], y_max: float | None = None) -> str:
    """Draw named lines. Both axes start at 0; the points of a line are in the order of their x."""
    points = [point for line in lines.values() for point in line]
    frame = Frame(
        left=_LEFT,
        right=_WIDTH - _RIGHT,
        top=_TOP,
        bottom=_HEIGHT - _BOTTOM,
        x_max=round_up(max((x for x, _ in points), default=1.0)),
        y_max=y_max or round_up(max((y for _, y in points), default=1.0)),
    )
    parts = [text(_LEFT, 20, title, size=14)]
    for tick in range(_TICKS + 1):
        x, y = frame.x_max * tick / _TICKS, frame.y_max * tick / _TICKS
        across, up = frame.place(x, 0)[0], frame.place(0, y)[1]
        parts += [
            grid_line(frame, y),
            text(_LEFT - 8, up + 4, f"{y:g}", anchor="end"),
            text(across, _HEIGHT - _BOTTOM + 18, f"{x:g}", anchor="middle"),
        ]
    parts += [
        text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 10, x_label, anchor="middle"),
        text(_LEFT, 40, y_label),
    ]
    for colour, (name, line) in enumerate(lines.items()):
        parts += [
            polyline(frame, line, colour),
            text(_WIDTH - _RIGHT, 20 + 16 * colour, name, anchor="end", colour=colour),
        ]
    return picture(_WIDTH, _HEIGHT, parts)


def bar_chart(title: str, rows: Mapping[str, Mapping[str, float]], unit: str = "") -> str:
    """Draw a row of bars for each name; the bars of a row are named, too, and each name has its own colour."""
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    legend = 40 + 16 * len(names)
    most = max((value for row in rows.values() for value in row.values()), default=0.0) or 1.0
    length = _WIDTH - _LABEL_WIDTH - _VALUE_WIDTH
    parts = [text(16, 20, title, size=14)]
    parts += [text(16, 40 + 16 * colour, name, colour=colour) for colour, name in enumerate(names)]
    top = float(legend)
    for label, row in rows.items():
        parts.append(text(_LABEL_WIDTH - 8, top + _BAR * max(len(row), 1) / 2 + 4, label, anchor="end"))
        for name, value in row.items():
            width = value / most * length
            colour = names.index(name)
            parts += [
                bar(_LABEL_WIDTH, top, width, _BAR - 2, colour),
                text(_LABEL_WIDTH + width + 6, top + 10, f"{value:,.0f}{unit}", size=10),
            ]
            top += _BAR
        top += _ROW_GAP
    return picture(_WIDTH, round(top), parts, title)


def distribution(values: Sequence[float], until: float) -> Points:
    """Return the steps of the cumulative distribution of ``values`` from 0 to ``until``, in percent of all values."""
    steps = [(0.0, 0.0)]
    for number, value in enumerate(sorted(value for value in values if value <= until), start=1):
        steps += [(value, steps[-1][1]), (value, 100 * number / len(values))]
    return [*steps, (until, steps[-1][1])]


def picture(width: int, height: int, parts: Sequence[str], name: str = "") -> str:
    """Return the SVG file of some elements. ``name`` is what a screen reader says; "" for nothing."""
    spoken = f' role="img" aria-label="{escape(name)}"' if name else ""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif"'
        f' font-size="12"{spoken}>'
    )
    background = f'<rect width="{width}" height="{height}" class="page"/>'
    return "\n".join([head, _STYLE, background, *parts, "</svg>", ""])


def polyline(frame: Frame, points: Points, colour: int, *, dashed: bool = False) -> str:
    """Return a line through points; ``colour`` is a number that starts at 0, and colours repeat."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (frame.place(*point) for point in points))
    dashes = ' stroke-dasharray="4 3"' if dashed else ""
    return (
        f'<polyline points="{path}" class="c{colour % COLOURS}" fill="none" stroke="currentColor"'
        f' stroke-width="2"{dashes}/>'
    )


def dot(frame: Frame, point: tuple[float, float], colour: int) -> str:
    """Return a small dot at a point."""
    x, y = frame.place(*point)
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" class="c{colour % COLOURS}" fill="currentColor"/>'


def bar(left: float, top: float, width: float, height: float, colour: int) -> str:
    """Return a filled rectangle; see :func:`polyline` for ``colour``."""
    return (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" class="c{colour % COLOURS}"'
        f' fill="currentColor"/>'
    )


def grid_line(frame: Frame, y: float) -> str:
    """Return a horizontal line across the frame."""
    return f'<path d="M{frame.left:.1f} {frame.place(0, y)[1]:.1f}H{frame.right:.1f}" class="grid"/>'


def text(x: float, y: float, words: str, anchor: str = "start", size: int = 12, colour: int | None = None) -> str:
    """Return a line of text, in the colour of a line or in the text's own."""
    paint = 'class="text"' if colour is None else f'class="c{colour % COLOURS}" fill="currentColor"'
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" {paint}>{escape(words)}</text>'


def round_up(value: float) -> float:
    """Return the next number from ``value`` on whose fifths are easy to read."""
    scale = 1.0
    while scale * 10 < value:
        scale *= 10
    while scale >= value > 0:
        scale /= 10
    return next((scale * step for step in (1, 2, 2.5, 5, 7.5) if scale * step >= value), scale * 10)
