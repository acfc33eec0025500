"""``nox -s editors_delay``: from a key to ghost text in Neovim and Emacs, until the terminal has it, as a table."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from editors.conftest import KINDS, launcher
from editors.delays import FILE, KEY, KEYS, Delays, table
from editors.editors import Editor
from editors.install import RELEASES
from editors.recorder import recorded_server

DEBOUNCE = {"neovim-0.11": 50, "neovim-0.12": 200, "emacs-28": 50, "emacs-30": 50}
"""Milliseconds: of Midfill's own ghost text, by its options; of Neovim 0.12, as built in."""
_QUIET_SECONDS = 0.15
_BACKSPACE = "\x7f"


def measure(editor: Editor, delays: Delays) -> tuple[str, ...]:
    """Type the key again and again; return the table's row."""
    editor.open(FILE)
    editor.type(KEY)
    editor.wait_for_ghost()
    for _ in range(KEYS):
        _clear(editor)
        delays.before_key()
        editor.type(_BACKSPACE)  # which asks for a suggestion, too
        editor.terminal.wait_for(delays.is_answered, "the answer")
        _clear(editor)
        delays.before_key()
        key = time.time()
        editor.type(KEY)
        editor.terminal.wait_for(lambda: editor.ghost, "ghost text", glance=0.005)
        delays.shown(key, editor.terminal.last_output)
    return delays.row()


def _clear(editor: Editor) -> None:
    """Take the ghost text away, and wait until the editor draws nothing any more."""

    def is_gone() -> bool:
        while editor.terminal.pump(_QUIET_SECONDS):
            pass
        if editor.ghost:
            editor.press("dismiss")  # else it would quit what Emacs does, the next key with it
        return not editor.ghost

    editor.terminal.wait_for(is_gone, "the ghost text to go")


def main() -> None:
    """Measure each editor in turn, and print."""
    rows = []
    for name, debounce in DEBOUNCE.items():
        with tempfile.TemporaryDirectory() as folder:
            program, log = recorded_server(Path(folder))
            editor = KINDS[RELEASES[name].program](launcher(name), Path(folder) / "home", command=str(program))
            with editor.terminal:
                rows.append(measure(editor, Delays(name, debounce, log)))
        sys.stderr.write(f"measured: {name}\n")
    sys.stdout.write(table(rows))


if __name__ == "__main__":
    main()
