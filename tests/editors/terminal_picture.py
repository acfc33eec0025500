"""The README's pictures of Neovim and Emacs.

``MIDFILL_EDITORS=.nox/editors PYTHONPATH=tests python -m editors.terminal_picture docs/pictures`` takes them anew.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from editors.conftest import KINDS, launcher
from editors.editors import Editor, Emacs
from editors.install import RELEASES
from editors.picture import INVENTORY, draw

PICTURES = {"neovim-0.12": "nvim.svg", "emacs-30": "emacs.svg"}


def finish(editor: Editor) -> None:
    """Have the real model finish a method."""
    editor.document = editor.home / "inventory.py"
    editor.document.write_text(INVENTORY[:-1])
    editor.visit(editor.document)
    editor.terminal.wait_for(lambda: "def remove" in editor.screen, "the file to be open")
    if isinstance(editor, Emacs):
        editor.wait_for_text("Connected!")
        editor.evaluate("(progn (setq frame-background-mode 'dark) (frame-set-background-mode (selected-frame)))")
    else:
        editor.wait_for_text("midfill:ready")
        editor.type("\x1c\x0e\x0cA")  # away with the command line
    editor.type(INVENTORY[-1])
    editor.terminal.wait_for(lambda: "\n" in editor.ghost, "several lines")


def main(folder: Path) -> None:
    """Draw what each editor's screen shows."""
    for name, picture in PICTURES.items():
        with tempfile.TemporaryDirectory() as home:
            editor = KINDS[RELEASES[name].program](launcher(name), Path(home) / "shop", columns=90, rows=22)
            with editor.terminal:
                finish(editor)
                (folder / picture).write_text(draw(editor.terminal.screen, f"A method that Midfill finishes in {name}"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
