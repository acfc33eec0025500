"""Drives VS Code with the extension in it: the process of code-server, and its windows in a browser."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import quote

import psutil
from playwright.sync_api import Browser, Error, Locator, Page, sync_playwright

from editors.vscode_tools import Tools

PATIENCE = 60.0
"""Seconds to wait for anything on a busy machine."""
ACTION_PATIENCE = 240.0
"""Seconds that an action, or an edit, may take on a busy machine."""
_POLL_MS = 50
_CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
_USER_SETTINGS: dict[str, Any] = {
    "chat.disableAIFeatures": True,
    "editor.accessibilitySupport": "off",
    "editor.minimap.enabled": False,
    # The editor's own suggestions must not mix with the model's.
    "editor.quickSuggestions": {"other": "off", "comments": "off", "strings": "off"},
    "editor.suggestOnTriggerCharacters": False,
    "editor.autoClosingBrackets": "never",
    "editor.autoIndent": "none",
    "extensions.autoCheckUpdates": False,
    "files.autoSave": "afterDelay",  # so that the file on disk is what the editor holds
    "files.autoSaveDelay": 50,
    "security.workspace.trust.startupPrompt": "never",
    "telemetry.telemetryLevel": "off",
    "window.autoDetectColorScheme": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
}

_GHOST_TEXT = """() => {
  const texts = (selector, root = document) => [...root.querySelectorAll(selector)].map((part) => part.textContent);
  const here = texts('.view-lines .ghost-text-decoration').join('');
  const below = texts('.suggest-preview-text .view-line');
  return here || below.length ? [here, ...below] : [];
}"""
_DECORATIONS = """() => {
  const parts = [...document.querySelectorAll('.view-lines .view-line span')];
  const isStruck = (part) => getComputedStyle(part).textDecorationLine.includes('line-through');
  const added = parts.map((part) => getComputedStyle(part, '::after').content);
  const shown = added.filter((content) => content.startsWith('"')).map((content) => JSON.parse(content));
  return [parts.filter(isStruck).map((part) => part.textContent), shown];
}"""
_NOTE_STATUSES = """() => {
  const heard = window.midfillStatuses = [];
  const listen = () => {
    const item = document.querySelector('.statusbar-item [aria-label^="Midfill: "]');
    const label = item?.getAttribute('aria-label').replace('Midfill: ', '');
    if (label && label !== heard.at(-1)) heard.push(label);
  };
  const options = { subtree: true, childList: true, attributes: true, attributeFilter: ['aria-label'] };
  new MutationObserver(listen).observe(document, options);
}"""

Answer = TypeVar("Answer")


class CodeServer:
    """A process of code-server, with the extension and with user settings of its own."""

    def __init__(self, tools: Tools, extension: Path, home: Path, *, path: str, trusting: bool = True) -> None:
        """Install `extension`. `path` is the PATH that it sees; with `trusting`, every folder is trusted."""
        self._log = home / "code-server.log"
        self._program = [str(tools.node), str(tools.code_server)]
        self._folders = ["--user-data-dir", str(home / "data"), "--extensions-dir", str(home / "extensions")]
        self._trust = ["--disable-workspace-trust"] if trusting else []
        # With this, code-server takes its own environment, not that of a login shell, which has another PATH.
        self._environment = {**os.environ, "PATH": path, "VSCODE_CLI": "1"}
        user = home / "data" / "User"
        user.mkdir(parents=True)
        (user / "settings.json").write_text(json.dumps(_USER_SETTINGS))
        subprocess.run(
            [*self._program, *self._folders, "--install-extension", str(extension)],
            check=True,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> CodeServer:
        """Start, and wait until it answers."""
        self.port = _free_port()
        options = ["--bind-addr", f"127.0.0.1:{self.port}", "--auth", "none", "--disable-telemetry"]
        options += ["--reconnection-grace-time", "1"]  # a window that is closed does not come back
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*self._program, *self._folders, *options, *self._trust, "--disable-update-check"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"code-server does not answer:\n{self._log.read_text(errors='replace')}")
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        """End all its processes."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def midfill_servers(self) -> list[psutil.Process]:
        """Return the processes of Midfill's server that its windows have started."""
        assert self._process is not None
        found = []
        for process in psutil.Process(self._process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if {"serve", "--stdio"} <= set(process.cmdline()):
                    found.append(process)
        return found

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5):  # our own
                return True
        except (urllib.error.URLError, OSError):
            return False


class Window:
    """A window with one file open, whose workspace folder is the file's."""

    def __init__(self, page: Page, file: Path) -> None:
        self.page = page
        self.file = file

    @property
    def text(self) -> str:
        """The text of the file on disk; the editor saves every change."""
        return self.file.read_text(encoding="utf-8")

    @property
    def ghost_text(self) -> str:
        """The ghost text on the screen; empty if there is none."""
        lines: list[str] = self.page.evaluate(_GHOST_TEXT)
        return "\n".join(lines).replace("\u00a0", " ")

    @property
    def struck_through(self) -> list[str]:
        """The pieces of the text that are struck through."""
        pieces: list[str] = self.page.evaluate(_DECORATIONS)[0]
        return [piece.replace("\u00a0", " ") for piece in pieces]

    @property
    def drawn(self) -> list[str]:
        """The texts that decorations add to lines."""
        texts: list[str] = self.page.evaluate(_DECORATIONS)[1]
        return [text.replace("\u00a0", " ") for text in texts]

    @property
    def status(self) -> str:
        """The label of the status bar item, without the product's name; empty if there is no item."""
        labels = self._status_item.all()
        return (labels[0].get_attribute("aria-label") or "").removeprefix("Midfill: ") if labels else ""

    @property
    def statuses(self) -> list[str]:
        """All statuses since the window was opened."""
        heard: list[str] = self.page.evaluate("window.midfillStatuses")
        return heard

    @property
    def _status_item(self) -> Locator:
        return self.page.locator('.statusbar-item [aria-label^="Midfill: "]')

    def wait_for(self, what: str, get: Callable[[], Answer | Literal[False]], patience: float = PATIENCE) -> Answer:
        """Wait until `get` returns something true, and return that."""
        deadline = time.monotonic() + patience
        while True:
            answer = get()
            if answer:
                return answer
            assert time.monotonic() < deadline, f"timed out waiting for {what}; the status is {self.status!r}"
            self.page.wait_for_timeout(_POLL_MS)

    def wait_for_status(self, start: str, patience: float = PATIENCE) -> str:
        """Wait until the status begins with `start`, and return it."""
        return self.wait_for(f"the status {start!r}", lambda: self.status.startswith(start) and self.status, patience)

    def wait_for_line(self, text: str, patience: float = PATIENCE) -> None:
        """Wait until a line on the screen contains a text."""
        self.page.locator(".view-line", has_text=text).first.wait_for(timeout=patience * 1000)

    def wait_for_no_line(self, text: str, patience: float = PATIENCE) -> None:
        """Wait until no line on the screen contains a text."""
        self.wait_for(f"{text!r} to go", lambda: not self.page.locator(".view-line", has_text=text).count(), patience)

    def focus_editor(self) -> None:
        """Click into the text."""
        self.page.locator(".editor-instance .view-lines").first.click()

    @property
    def has_focus(self) -> bool:
        """Whether keys go into the text."""
        return bool(self.page.evaluate("document.activeElement.closest('.editor-instance') !== null"))

    def type(self, text: str) -> None:
        """Type at the end of the file."""
        self.page.keyboard.press("Control+End")
        self.page.keyboard.type(text)

    def go_to(self, line: int, column: int) -> None:
        """Put the cursor at a place; lines and columns count from 1."""
        self.press("Control+g")
        self.page.locator(".quick-input-box input").fill(f":{line}:{column}")
        self.press("Enter")
        self.wait_for("the focus", lambda: self.has_focus)

    def run_command(self, title: str) -> None:
        """Run a command from the palette."""
        self.press("F1")
        self.page.keyboard.type(title)
        self.page.locator(".quick-input-list .monaco-list-row", has_text=title).first.click()

    def press(self, *keys: str) -> None:
        """Press keys, one after another."""
        for key in keys:
            self.page.keyboard.press(key)

    def replace_file(self, text: str) -> None:
        """Replace the whole document, as if by pasting."""
        self.press("Control+a", "Delete")
        self.page.keyboard.insert_text(text)
        self.wait_for("the text", lambda: self.text == text)

    def choose_action(self, title: str) -> None:
        """Choose from the light bulb menu; its key is repeated, since it does nothing while the text is still new."""
        item = self.page.locator(".action-widget .monaco-list-row.action", has_text=title).first

        def is_open() -> bool:
            self.press("Control+.")
            with contextlib.suppress(Error):
                item.wait_for(timeout=10_000)
            return item.is_visible()

        self.wait_for("the light bulb's menu", is_open)
        item.click()

    def choose_from_menu(self, label: str) -> None:
        """Click the status bar item, and an entry of its menu."""
        self._status_item.click()
        self.page.locator(".quick-input-list .monaco-list-row", has_text=label).first.click()

    def set_in_workspace(self, **settings: object) -> None:
        """Write the workspace's settings; `__` stands for a dot in their names."""
        write_settings(self.file.parent, **settings)


def write_settings(folder: Path, **settings: object) -> None:
    """Write the settings of a workspace folder; `__` stands for a dot in their names."""
    (folder / ".vscode").mkdir(exist_ok=True)
    named = {name.replace("__", "."): value for name, value in settings.items()}
    (folder / ".vscode" / "settings.json").write_text(json.dumps(named))


@contextlib.contextmanager
def launch_browser(tools: Tools) -> Iterator[Browser]:
    """Start a browser that can reach only this machine."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=tools.chromium, args=list(_CHROMIUM))
        yield browser
        browser.close()


@contextlib.contextmanager
def open_window(
    browser: Browser, server: CodeServer, file: Path, evidence: Path, has_failed: Callable[[], bool] = lambda: False
) -> Iterator[Window]:
    """Open a file in a new window. If anything fails in it, a screenshot is written to `evidence`."""
    page = browser.new_page(viewport={"width": 1000, "height": 620})
    page.set_default_timeout(PATIENCE * 1000)
    page.add_init_script(f"({_NOTE_STATUSES})()")
    authority = f"127.0.0.1:{server.port}"
    payload = json.dumps([["openFile", f"vscode-remote://{authority}{file}"]])
    try:
        page.goto(f"http://{authority}/?folder={quote(str(file.parent))}&payload={quote(payload)}")
        page.locator(".editor-instance .view-line").first.wait_for()
        window = Window(page, file)
        window.wait_for("Midfill's item in the status bar", lambda: window.status)
        window.focus_editor()
        yield window
    except BaseException:
        _keep_picture(page, evidence)
        raise
    else:
        if has_failed():
            _keep_picture(page, evidence)
    finally:
        page.close()
        deadline = time.monotonic() + PATIENCE
        while server.midfill_servers():
            assert time.monotonic() < deadline, "Midfill's server outlives its window"
            time.sleep(0.1)


def _keep_picture(page: Page, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(Error):  # the window is gone, and the failure itself says so
        page.screenshot(path=file)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
