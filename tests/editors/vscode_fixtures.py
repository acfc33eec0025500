"""What the tests in the real VS Code start: the editor, the browser that shows it, and windows with files."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from editors.recorder import recorded_server
from editors.vscode_tools import Tools, build_extension, install_tools
from editors.vscode_window import CodeServer, Window, launch_browser, open_window, write_settings

EVIDENCE = Path(__file__).parents[2] / "build" / "evidence" / "vscode"
"""Where screenshots of failures are kept."""
WITH_MIDFILL = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
SUM = "def add(a, b):\n    return a + b\n\n\ndef subtract(a, b):\n"


@pytest.fixture(scope="session")
def tools(bundle: None) -> Tools:
    """Return the programs that the tests need."""
    return install_tools()


@pytest.fixture(scope="session")
def extension() -> Path:
    """Return the packaged extension."""
    return build_extension()


@pytest.fixture(scope="session")
def browser(tools: Tools) -> Iterator[Browser]:
    """Return the browser that shows all windows."""
    with launch_browser(tools) as browser:
        yield browser


@pytest.fixture(scope="session")
def code_server(tools: Tools, extension: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CodeServer]:
    """Return a code-server that finds Midfill on PATH."""
    with CodeServer(tools, extension, tmp_path_factory.mktemp("home"), path=WITH_MIDFILL) as server:
        yield server


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file in a workspace of its own."""
    file = tmp_path / "work" / "sums.py"
    file.parent.mkdir()
    file.write_text(SUM)
    return file


@pytest.fixture
def window(browser: Browser, code_server: CodeServer, file: Path, request: pytest.FixtureRequest) -> Iterator[Window]:
    """Return a window whose model is loaded."""
    failed_before = request.session.testsfailed
    evidence = EVIDENCE / f"{request.node.name}.png"
    with open_window(
        browser, code_server, file, evidence, lambda: request.session.testsfailed > failed_before
    ) as window:
        window.wait_for_status("ready")
        yield window


@pytest.fixture
def log(file: Path, tmp_path: Path) -> Path:
    """Record the messages between the editor and the server; return the log file."""
    program, log = recorded_server(tmp_path)
    write_settings(file.parent, midfill__server__path=str(program))
    return log


@pytest.fixture
def recorded(log: Path, window: Window) -> tuple[Window, Path]:
    """Return a window, and the log file of its messages."""
    return window, log
