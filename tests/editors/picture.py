"""Draws a terminal's screen as a small SVG, as README sections and failed tests show it."""

from __future__ import annotations

from html import escape
from itertools import groupby

from pyte.screens import Char, Screen

NO_BREAK = "\u00a0"
CELL_WIDTH, CELL_HEIGHT, MARGIN = 8.4, 18, 12
BACKGROUND, FOREGROUND = "#14161b", "#e0e2ea"
NAMED = {
    "black": "#4f5258",
    "red": "#ffc0b9",
    "green": "#b3f6c0",
    "brown": "#fce094",
    "blue": "#a6dbff",
    "magenta": "#ffcaff",
    "cyan": "#8cf8f7",
    "white": "#e0e2ea",
}

INVENTORY = '''\
class Inventory:
    """What is in stock, by name."""

    def __init__(self):
        self.items = {}

    def add(self, item):
        if item.name in self.items:
            raise ValueError(f"{item.name} is in stock already")
        self.items[item.name] = item

    def remove(self, name):
        if name not in'''
"""What the README's pictures show being finished, up to the last key."""


def draw(screen: Screen, title: str) -> str:
    """Return the screen as SVG, with its colours and its cursor."""
    width, height = screen.columns * CELL_WIDTH + 2 * MARGIN, screen.lines * CELL_HEIGHT + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14">',
        f"<title>{escape(title)}</title>",
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
    ]
    for row in range(screen.lines):
        parts += draw_row(screen, row)
    return "\n".join([*parts, draw_cursor(screen), "</svg>\n"])


def draw_cursor(screen: Screen) -> str:
    """Draw the cursor as a thin bar."""
    x, y = MARGIN + screen.cursor.x * CELL_WIDTH, MARGIN + screen.cursor.y * CELL_HEIGHT
    return f'<rect x="{x:g}" y="{y:g}" width="2" height="{CELL_HEIGHT}" fill="{FOREGROUND}"/>'


def draw_row(screen: Screen, row: int) -> list[str]:
    """Draw the runs of one row that look the same."""
    parts = []
    column = 0
    for (foreground, background, bold), run in groupby(
        (screen.buffer[row][column] for column in range(screen.columns)), key=_look
    ):
        text = "".join(cell.data for cell in run)
        x, y = MARGIN + column * CELL_WIDTH, MARGIN + row * CELL_HEIGHT
        length = len(text) * CELL_WIDTH
        if background != BACKGROUND:
            parts.append(f'<rect x="{x:g}" y="{y:g}" width="{length:g}" height="{CELL_HEIGHT}" fill="{background}"/>')
        if shown := text.strip():
            # A browser collapses spaces, whatever `xml:space` says.
            x += (len(text) - len(text.lstrip())) * CELL_WIDTH
            weight = ' font-weight="bold"' if bold else ""
            look = f'fill="{foreground}"{weight} textLength="{len(shown) * CELL_WIDTH:g}"'
            parts.append(f'<text x="{x:g}" y="{y + 13:g}" {look}>{escape(shown).replace(" ", NO_BREAK)}</text>')
        column += len(text)
    return parts


def _look(cell: Char) -> tuple[str, str, bool]:
    foreground, background = _colour(cell.fg, FOREGROUND), _colour(cell.bg, BACKGROUND)
    return (background, foreground, cell.bold) if cell.reverse else (foreground, background, cell.bold)


def _colour(name: str, default: str) -> str:
    return default if name == "default" else NAMED.get(name.removeprefix("bright"), f"#{name}")
