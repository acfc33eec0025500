"""The README's picture of VS Code.

``PYTHONPATH=tests python -m editors.vscode_picture docs/pictures/vscode.png`` takes it anew.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import ViewportSize

from editors.picture import INVENTORY
from editors.vscode_tools import build_extension, install_tools
from editors.vscode_window import CodeServer, launch_browser, open_window, write_settings

_SIZE = ViewportSize(width=900, height=440)


def main(picture: Path) -> None:
    """Have the real model finish a method, and keep what the screen shows."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        file = home / "shop" / "inventory.py"
        file.parent.mkdir()
        file.write_text(INVENTORY[:-1])
        write_settings(
            file.parent, workbench__colorTheme="Default Dark Modern", workbench__activityBar__location="hidden"
        )
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        with (
            launch_browser(install_tools()) as browser,
            CodeServer(install_tools(), build_extension(), home / "home", path=path) as server,
            open_window(browser, server, file, home / "failure.png") as window,
        ):
            window.wait_for_status("ready")
            window.page.set_viewport_size(_SIZE)
            window.press("Control+b")  # away with the explorer
            window.focus_editor()
            window.type(INVENTORY[-1])
            window.wait_for("several lines", lambda: "\n" in window.ghost_text)
            window.wait_for_status("ready")
            window.page.mouse.move(_SIZE["width"] / 2, _SIZE["height"] / 2)
            picture.parent.mkdir(parents=True, exist_ok=True)
            window.page.screenshot(path=picture)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
