"""Draws a history of benchmarks: one small line chart a figure, over time, all in one picture.

Runs are joined by a line if they can be compared: same bundle, same processor and cores, same number of runs a figure.
The peer's line is dashed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from midfill.bench.figures import with_unit
from midfill.bench.history import HistoryEntry, HistoryFigure
from midfill.common.plot import Frame, Points, dot, grid_line, picture, polyline, round_up, text

_COLUMNS = 2
_WIDTH, _HEIGHT = 420, 180
"""Size of one chart with its margins, in pixels."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 20, 40, 28
_HEADER = 48
_LEGEND_LINE = 18

_Setup = tuple[str, str, int, int]
"""What runs must have in common to be compared: bundle, processor, cores, number of runs a figure."""


@dataclass(frozen=True)
class _Line:
    points: Points
    colour: int
    dashed: bool = False


def draw(entries: Sequence[HistoryEntry]) -> str:
    """Return the picture as SVG, with a chart for each figure that has a value in some run."""
    in_order = sorted(entries, key=lambda entry: entry.time)
    setups: dict[_Setup, list[HistoryEntry]] = {}
    for entry in in_order:
        setups.setdefault(_setup(entry), []).append(entry)
    names = dict.fromkeys(
        name for entry in in_order for name, figure in entry.figures.items() if figure.value is not None
    )
    top = _HEADER + _LEGEND_LINE * (len(setups) + 1)
    parts = [text(16, 28, "midfill bench over time", size=16), *_legend(setups)]
    for number, name in enumerate(names):
        left = number % _COLUMNS * _WIDTH
        parts += _chart(name, left, top + number // _COLUMNS * _HEIGHT, in_order, list(setups.values()))
    rows = -(-len(names) // _COLUMNS)
    return picture(_COLUMNS * _WIDTH, top + rows * _HEIGHT, parts)


def _setup(entry: HistoryEntry) -> _Setup:
    return entry.bundle, entry.processor, entry.cores, entry.runs


def _legend(setups: Mapping[_Setup, Sequence[HistoryEntry]]) -> list[str]:
    lines = []
    for colour, (bundle, processor, cores, runs) in enumerate(setups):
        words = f"{bundle}, {processor}, {cores} cores, {runs} run{'s' if runs > 1 else ''} a figure"
        lines.append(text(16, _HEADER + _LEGEND_LINE * colour, words, colour=colour))
    peers = any(entry.peer for entries in setups.values() for entry in entries)
    return [*lines, text(16, _HEADER + _LEGEND_LINE * len(setups), "dashed: llama-server")] if peers else lines


def _chart(
    name: str, left: float, top: float, in_order: Sequence[HistoryEntry], setups: Sequence[Sequence[HistoryEntry]]
) -> list[str]:
    lines = [line for colour, entries in enumerate(setups) for line in _lines(name, entries, colour)]
    newest, newest_colour = _newest(name, setups)
    first, last = in_order[0], in_order[-1]
    frame = Frame(
        left=left + _LEFT,
        right=left + _WIDTH - _RIGHT,
        top=top + _TOP,
        bottom=top + _HEIGHT - _BOTTOM,
        x_min=first.time.timestamp(),
        x_max=last.time.timestamp(),
        y_max=round_up(max(y for line in lines for _, y in line.points) or 1.0),
    )
    parts = [
        text(left + 16, top + 16, name),
        text(frame.right, top + 32, with_unit(newest.value, newest.unit), anchor="end", colour=newest_colour),
    ]
    for y in (0.0, frame.y_max / 2, frame.y_max):
        parts += [grid_line(frame, y), text(frame.left - 6, frame.place(0, y)[1] + 4, f"{y:g}", anchor="end", size=10)]
    parts.append(text(frame.left, frame.bottom + 16, first.date[:10], size=10))
    if last.date[:10] != first.date[:10]:
        parts.append(text(frame.right, frame.bottom + 16, last.date[:10], anchor="end", size=10))
    for line in lines:
        parts.append(polyline(frame, line.points, line.colour, dashed=line.dashed))
        parts += [dot(frame, point, line.colour) for point in line.points]
    return parts


def _newest(name: str, setups: Sequence[Sequence[HistoryEntry]]) -> tuple[HistoryFigure, int]:
    """Return the newest value of a figure, and the colour of its line."""
    found = [
        (entry.time, colour, figure)
        for colour, entries in enumerate(setups)
        for entry in entries
        if (figure := _figure(entry, name)) is not None
    ]
    _, colour, figure = max(found, key=lambda each: each[0])
    return figure, colour


def _lines(name: str, entries: Sequence[HistoryEntry], colour: int) -> list[_Line]:
    """Return Midfill's line through some comparable runs, and the peer's; without those that have no point."""
    figures = [(entry.time.timestamp(), figure) for entry in entries if (figure := _figure(entry, name)) is not None]
    ours = [(x, figure.value) for x, figure in figures if figure.value is not None]
    peer = [(x, figure.peer) for x, figure in figures if figure.peer is not None]
    return [line for line in (_Line(ours, colour), _Line(peer, colour, dashed=True)) if line.points]


def _figure(entry: HistoryEntry, name: str) -> HistoryFigure | None:
    """Return a figure of a run if it has a value."""
    figure = entry.figures.get(name)
    return figure if figure is not None and figure.value is not None else None
