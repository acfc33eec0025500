"""How long VS Code itself takes from a key to ghost text: ``nox -s vscode_delay`` prints it as JSON.

One key is typed again and again where it brings a suggestion. A recorder beside the server tells how long the server
had the request; what is left is the editor's, its debounce included. All clocks are this machine's.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from editors.vscode_recorder import recorded_server, requests
from editors.vscode_tools import build_extension, install_tools
from editors.vscode_window import CodeServer, Window, launch_browser, open_window, write_settings

_KEYS = 40
_FILE = "def add(a, b):\n    return a + b\n\n\ndef subtract(a, b):\n    retur"
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


def measure(window: Window, log: Path) -> dict[str, Any]:
    """Type the key; return medians in milliseconds."""
    window.page.evaluate(_LISTEN)
    all_of_it, to_server, in_server, to_screen = [], [], [], []
    for _ in range(_KEYS):
        before = len(requests(log))
        window.type("n")
        window.wait_for("ghost text", lambda: window.page.evaluate("window.midfillShown"))
        key, shown = window.page.evaluate("[window.midfillKey, window.midfillShown]")
        request = requests(log)[-1]
        if len(requests(log)) == before + 1:  # else it is not certain which one is shown
            asked = request.asked * 1000
            all_of_it.append(shown - key)
            to_server.append(asked - key)
            in_server.append(request.seconds * 1000)
            to_screen.append(shown - asked - request.seconds * 1000)
        window.press("Escape")
        window.wait_for("no ghost text", lambda: not window.ghost_text)
        window.press("Backspace")  # which brings a suggestion, too
        window.wait_for("ghost text", lambda: window.ghost_text)
        window.press("Escape")
        window.wait_for("no ghost text", lambda: not window.ghost_text)
    return {
        "keys": len(all_of_it),
        "key to ghost text": round(statistics.median(all_of_it)),
        "key to server, debounce included": round(statistics.median(to_server)),
        "server": round(statistics.median(in_server)),
        "server to screen, two frames included": round(statistics.median(to_screen)),
        "editor": round(statistics.median(whole - own for whole, own in zip(all_of_it, in_server, strict=True))),
        "load average before and after": [round(_LOAD, 1), round(os.getloadavg()[0], 1)],
    }


def main() -> None:
    """Install what is needed, measure, and print."""
    tools, extension = install_tools(), build_extension()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        file = home / "work" / "sums.py"
        file.parent.mkdir()
        file.write_text(_FILE)
        program, log = recorded_server(home)
        write_settings(file.parent, midfill__server__path=str(program))
        with (
            launch_browser(tools) as browser,
            CodeServer(tools, extension, home / "home", path=os.environ["PATH"]) as server,
            open_window(browser, server, file, home / "failure.png") as window,
        ):
            window.wait_for_status("ready")
            sys.stdout.write(json.dumps(measure(window, log), indent=2) + "\n")


_LOAD = os.getloadavg()[0]

if __name__ == "__main__":
    main()
