"""VS Code with Midfill and the real model, driven through a browser as a person would; `nox -s vscode` runs this.

What is typed and pressed reaches the editor as keys; what is expected is read off the screen and off the file on disk.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from editors.vscode_tools import Tools, build_extension, install_tools
from editors.vscode_window import CodeServer, Window, launch_browser, open_window

EVIDENCE = Path(__file__).parents[2] / "build" / "evidence" / "vscode"
"""Where screenshots of failures are kept."""
SUM = "def add(a, b):\n    return a + b\n\n\ndef subtract(a, b):\n"


@pytest.fixture(scope="session")
def tools() -> Tools:
    """Return the programs that the tests need."""
    return install_tools()


@pytest.fixture(scope="session")
def extension() -> Path:
    """Return the extension, packaged."""
    return build_extension()


@pytest.fixture(scope="session")
def browser(tools: Tools) -> Iterator[Browser]:
    """Return a browser for all windows."""
    with launch_browser(tools) as browser:
        yield browser


@pytest.fixture(scope="session")
def code_server(tools: Tools, extension: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CodeServer]:
    """Return a code-server that finds Midfill on PATH."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with CodeServer(tools, extension, tmp_path_factory.mktemp("code-server"), path=path) as server:
        yield server


@pytest.fixture
def window(browser: Browser, code_server: CodeServer, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Window]:
    """Return a window whose model is loaded."""
    file = tmp_path / "sums.py"
    file.write_text(SUM)
    failed_before = request.session.testsfailed

    def evidence() -> Path | None:
        failed = request.session.testsfailed > failed_before
        return EVIDENCE / f"{request.node.name}.png" if failed else None

    with open_window(browser, code_server, file, evidence) as window:
        window.wait_for_status("ready")
        yield window


def test_ghost_text_is_accepted_whole(window: Window) -> None:
    """Ghost text of the real model appears after typing, and Tab puts all of it into the file."""
    window.type("    return")
    ghost = window.wait_for("ghost text", lambda: window.ghost_text)
    assert ghost == " a - b"
    window.press("Tab")
    window.wait_for("the suggestion in the file", lambda: window.text == SUM + "    return a - b")
