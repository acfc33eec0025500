"""The README's moving picture: a session in a real Neovim with the real model, as an SVG that plays by itself.

``MIDFILL_EDITORS=.nox/editors PYTHONPATH=tests python -m editors.demo_picture docs/pictures/demo.svg`` records it anew.

Each frame is the terminal's screen as it was. How long a frame is shown is set here, so that a reader can follow; it is
not how long Midfill took. Rows are drawn once for each look that they have, and CSS shows each at its times. A viewer
without animation, or with reduced motion, sees the frame in which the first suggestion is shown.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from pyte.screens import Screen

from editors.conftest import launcher
from editors.editors import Neovim
from editors.picture import BACKGROUND, CELL_HEIGHT, CELL_WIDTH, INVENTORY, MARGIN, draw_cursor, draw_row

BEGINNING, TYPED = INVENTORY[: INVENTORY.rindex("if")], INVENTORY[INVENTORY.rindex("if") :]
NEW_LINE = "\r\x15"
"""A new line, without the indentation that Neovim gives it (Ctrl+U)."""
MORE = (
    (NEW_LINE + " " * 8, *"del"),
    ("\r", NEW_LINE + " " * 4, *"def total(self):", NEW_LINE + " " * 8, *"return"),
)
"""What is typed after the first suggestion, a frame for each text; a suggestion is accepted after each row."""
KEY_SECONDS, READING_SECONDS, END_SECONDS = 0.1, 2.2, 3.0
TITLE = "Midfill in Neovim: ghost text appears while code is typed, one line is accepted, then the rest"


@dataclass
class Recording:
    """Frames of a terminal: what each part of the screen looks like, and from when on."""

    screen: Screen
    starts: list[float] = field(default_factory=list)
    frames: list[list[str]] = field(default_factory=list)
    """Each frame's rows, and its cursor last."""
    seconds: float = 0.0
    poster: int = 0
    """The frame that is shown where nothing moves."""

    def add(self, seconds: float) -> None:
        """Record the screen as it is now, to be shown for some time."""
        rows = ["".join(draw_row(self.screen, row)) for row in range(self.screen.lines)]
        self.frames.append([*rows, draw_cursor(self.screen)])
        self.starts.append(self.seconds)
        self.seconds += seconds

    def svg(self) -> str:
        """Return all frames as one picture."""
        width, height = self.screen.columns * CELL_WIDTH + 2 * MARGIN, self.screen.lines * CELL_HEIGHT + 2 * MARGIN
        style: list[str] = []
        body: list[str] = []
        for part in range(len(self.frames[0])):
            looks: dict[str, list[int]] = {}
            for number, frame in enumerate(self.frames):
                looks.setdefault(frame[part], []).append(number)
            for look, shown in looks.items():
                if not look:
                    continue
                if len(shown) == len(self.frames):
                    body.append(look)
                    continue
                name = f"p{len(style)}"
                at_rest = "visible" if self.poster in shown else "hidden"
                style.append(
                    f".{name}{{visibility:{at_rest};animation:{name} {self.seconds:g}s step-end infinite}}"
                    f"@keyframes {name}{{{self._keyframes(shown)}}}"
                )
                body.append(f'<g class="{name}">{look}</g>')
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
                f'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14">',
                f"<title>{escape(TITLE)}</title>",
                "<style>",
                *style,
                "@media (prefers-reduced-motion:reduce){g{animation:none!important}}",
                "</style>",
                f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
                *body,
                "</svg>\n",
            ]
        )

    def _keyframes(self, shown: list[int]) -> str:
        """Return when a part is seen, in per cent of the whole; only changes are written."""
        steps: list[str] = []
        before = None
        for number, start in enumerate(self.starts):
            now = "visible" if number in shown else "hidden"
            if now != before:
                steps.append(f"{100 * start / self.seconds:.2f}%{{visibility:{now}}}")
            before = now
        return "".join(steps)


def record(editor: Neovim) -> Recording:
    """Type the beginnings of lines and have the real model finish them."""
    recording = Recording(editor.terminal.screen)
    editor.document = editor.home / "inventory.py"
    editor.document.write_text(BEGINNING)
    editor.visit(editor.document)
    editor.terminal.wait_for(lambda: "def remove" in editor.screen, "the file to be open")
    editor.wait_for_text("midfill:ready")
    editor.type("\x1c\x0e\x0cA")  # away with the command line
    _settle(editor)
    recording.add(1.0)
    _type(editor, recording, TYPED)
    editor.terminal.wait_for(lambda: "\n" in editor.ghost, "several lines")
    _settle(editor)
    recording.poster = len(recording.frames)
    recording.add(READING_SECONDS)
    for key in ("accept line", "accept"):
        editor.press(key)
        _settle(editor)
        recording.add(READING_SECONDS / 2)
    for keys in MORE:
        _type(editor, recording, keys)
        editor.wait_for_ghost()
        _settle(editor)
        recording.add(READING_SECONDS)
        editor.press("accept")
        _settle(editor)
        recording.add(READING_SECONDS / 2)
    recording.add(END_SECONDS)
    return recording


def _type(editor: Neovim, recording: Recording, keys: Iterable[str]) -> None:
    """Press keys one by one, with a frame after each."""
    for key in keys:
        editor.type(key)
        editor.terminal.pump(1.0)
        while editor.terminal.pump(0.05):
            pass
        recording.add(KEY_SECONDS)


def _settle(editor: Neovim) -> None:
    """Wait until the editor has drawn all that it has to draw."""
    while editor.terminal.pump(2.0):
        pass


def main(path: Path) -> None:
    """Record the session and write the picture."""
    with tempfile.TemporaryDirectory() as home:
        editor = Neovim(launcher("neovim-0.12"), Path(home) / "shop", columns=90, rows=24)
        with editor.terminal:
            recording = record(editor)
    path.write_text(recording.svg())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
