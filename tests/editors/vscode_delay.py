"""``nox -s vscode_delay``: from a key to ghost text in VS Code, until the frame that shows it, as a table.

One key is typed again and again where it brings a suggestion. A recorder beside the server tells how long the server
had the request; what is left is the editor's. All clocks are this machine's.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from editors.delays import FILE, KEY, KEYS, Delays, table
from editors.recorder import recorded_server
from editors.vscode_tools import build_extension, install_tools
from editors.vscode_window import CodeServer, Window, launch_browser, open_window, write_settings

DEBOUNCE = 50
"""Milliseconds that VS Code waits after a key before it asks for ghost text, as built in."""
_LISTEN = """() => {
  window.midfillKey = window.midfillShown = null;
  const now = () => performance.timeOrigin + performance.now();
  addEventListener('keydown', () => { window.midfillKey = now(); window.midfillShown = null; }, { capture: true });
  new MutationObserver(() => {
    if (window.midfillShown === null && document.querySelector('.view-lines .ghost-text-decoration')) {
      window.midfillShown = 0;  // found; the frame that is being made shows it
      requestAnimationFrame(() => requestAnimationFrame(() => { window.midfillShown = now(); }));
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
}"""


def measure(window: Window, delays: Delays) -> tuple[str, ...]:
    """Type the key again and again; return the table's row."""
    window.page.evaluate(_LISTEN)
    for _ in range(KEYS):
        delays.before_key()
        window.type(KEY)
        window.wait_for("ghost text", lambda: window.page.evaluate("window.midfillShown"))
        key, shown = window.page.evaluate("[window.midfillKey, window.midfillShown]")
        delays.shown(key / 1000, shown / 1000)
        window.press("Escape")
        window.wait_for("no ghost text", lambda: not window.ghost_text)
        delays.before_key()
        window.press("Backspace")  # which asks for a suggestion, too
        window.wait_for("the answer", delays.is_answered)
        window.press("Escape")
        window.wait_for("no ghost text", lambda: not window.ghost_text)
    return delays.row()


def main() -> None:
    """Install what is needed, measure, and print."""
    tools, extension = install_tools(), build_extension()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        file = home / "work" / "sums.py"
        file.parent.mkdir()
        file.write_text(FILE)
        program, log = recorded_server(home)
        write_settings(file.parent, midfill__server__path=str(program))
        with (
            launch_browser(tools) as browser,
            CodeServer(tools, extension, home / "home", path=os.environ["PATH"]) as server,
            open_window(browser, server, file, home / "failure.png") as window,
        ):
            window.wait_for_status("ready")
            sys.stdout.write(table([measure(window, Delays("VS Code", DEBOUNCE, log))]))


if __name__ == "__main__":
    main()
