"""Tests of the extension in the real VS Code with the real model; `nox -s vscode` runs them.

A browser shows the editor and sends it keys. The tests read the screen, and the file on disk.
"""

from __future__ import annotations

import ast
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from editors.recorder import requests
from editors.vscode_fixtures import EVIDENCE, SUM, WITH_MIDFILL
from editors.vscode_tools import Tools
from editors.vscode_window import ACTION_PATIENCE, PATIENCE, CodeServer, Window, open_window, write_settings
from midfill.settings.schema import default_bundle

pytest_plugins = ("editors.vscode_fixtures",)
MEDIAN = """\
def median(numbers):
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2
"""
STACK = """class Stack:
    def __init__(self):
        self.items = []

    def push(self, item):
        self.items.append(item)

    def pop(self):
"""


def test_accepting_the_whole_suggestion(window: Window) -> None:
    """Ghost text appears after typing, and Tab inserts all of it into the file."""
    window.type("    return")
    assert window.wait_for("ghost text", lambda: window.ghost_text) == " a - b"
    window.press("Tab")
    window.wait_for("the suggestion in the file", lambda: window.text == SUM + "    return a - b")


def test_accepting_the_next_word(window: Window) -> None:
    """VS Code's own key accepts the next word, and the rest stays ghost text. A space counts as a word."""
    window.type("    return")
    window.wait_for("ghost text", lambda: window.ghost_text == " a - b")
    window.press("Control+ArrowRight", "Control+ArrowRight")
    window.wait_for("one word in the file", lambda: window.text == SUM + "    return a")
    assert window.wait_for("the rest", lambda: window.ghost_text) == " - b"


def test_accepting_the_next_line(window: Window) -> None:
    """The extension's key accepts the next line, and the rest stays ghost text."""
    window.replace_file(STACK)
    window.type("        if not")
    suggestion = window.wait_for("several lines", lambda: "\n" in window.ghost_text and window.ghost_text)
    first, second = suggestion.split("\n")[:2]
    window.press("Control+Alt+ArrowRight")
    taken = STACK + "        if not" + first
    window.wait_for("one line in the file", lambda: window.text.rstrip() == taken)
    assert window.wait_for("the rest", lambda: window.ghost_text).strip().startswith(second.strip())


def test_typing_the_suggestion(window: Window) -> None:
    """If the user types what is suggested, the rest stays ghost text, and no character is inserted twice."""
    window.type("    return")
    window.wait_for("ghost text", lambda: window.ghost_text == " a - b")
    window.type(" a")
    window.wait_for("the rest", lambda: window.ghost_text == " - b")
    window.press("Tab")
    window.wait_for("the suggestion in the file", lambda: window.text == SUM + "    return a - b")


def test_typing_cancels_the_request(recorded: tuple[Window, Path]) -> None:
    """A key cancels the pending request, and the server answers every request."""
    window, log = recorded
    window.replace_file("".join(f"def area_{n}(width, height):\n    return width * height\n\n\n" for n in range(100)))
    _type_until_one_is_cancelled(window, log, "def largest_of_the_numbers(numbers):\n    return")
    window.wait_for("answers to all", lambda: all(request.is_over for request in requests(log)))
    assert any(request.cancelled for request in requests(log))
    window.wait_for_status("ready")


def test_a_changed_setting_applies_without_a_restart(window: Window, code_server: CodeServer) -> None:
    """The next suggestion of the same server obeys a changed setting, and a removed one."""
    window.replace_file(STACK)
    window.type("        if not")
    suggestion = window.wait_for("several lines", lambda: "\n" in window.ghost_text and window.ghost_text)

    def another() -> str:
        window.press("Escape", "Backspace")
        window.type("t")
        return window.wait_for("ghost text", lambda: window.ghost_text)

    servers = code_server.midfill_servers()
    window.set_in_workspace(midfill__maxLines=1)
    window.wait_for("one line", lambda: another() == suggestion.split("\n")[0])
    window.set_in_workspace()
    window.wait_for("several lines", lambda: another() == suggestion)
    assert code_server.midfill_servers() == servers


def test_an_invalid_setting_is_reported(window: Window) -> None:
    """The server's message about an invalid setting is shown."""
    window.set_in_workspace(midfill__maxTokens=-5)
    notice = window.page.locator(".notification-list-item", has_text="'maxTokens' must be a whole number")
    notice.wait_for()
    window.wait_for_status("ready")


def test_a_server_that_crashed_is_restarted(window: Window, code_server: CodeServer) -> None:
    """After a crash there is another server, and it gives suggestions."""
    (server,) = code_server.midfill_servers()
    before = len(window.statuses)
    server.kill()
    window.wait_for("another server", lambda: (now := code_server.midfill_servers()) and now != [server])
    # On a busy machine the window still shows the old server's "ready" for a while.
    window.wait_for("the new server's status", lambda: window.statuses[before:])
    window.wait_for_status("ready")
    window.type("    return")
    assert window.wait_for("ghost text", lambda: window.ghost_text) == " a - b"


def test_a_server_that_keeps_crashing_stays_stopped(window: Window, code_server: CodeServer) -> None:
    """After five crashes the server is not restarted, until the user does so from the menu."""
    for _ in range(5):
        (server,) = window.wait_for("a server", code_server.midfill_servers)
        window.wait_for("its answer", lambda: window.status != "starting the server")
        server.kill()
        server.wait()
        window.wait_for("its end", lambda: window.status.startswith(("starting", "The server ended")))
    window.wait_for_status("The server ended five times")
    window.choose_from_menu("Restart")
    window.wait_for_status("ready")


def test_a_server_that_does_not_start_is_reported(window: Window, tmp_path: Path) -> None:
    """A program that is not a server is an error. Without that setting, the right server starts again."""
    program = tmp_path / "midfill"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    window.set_in_workspace(midfill__server__path=str(program))
    window.wait_for_status("The server did not start")
    window.set_in_workspace()
    window.wait_for_status("ready")


def test_the_status_bar_shows_all_states(window: Window) -> None:
    """The item shows starting, loading with its progress, ready, and thinking about a long new prompt."""
    window.replace_file("".join(f"def area_{n}(width, height):\n    return width * height\n\n\n" for n in range(100)))
    window.type("def volume(width, height, depth):\n    return")
    window.wait_for("ghost text", lambda: window.ghost_text)
    window.wait_for_status("ready")
    heard = window.statuses
    kinds = ["loading" if status.endswith("%") else status for status in heard]
    assert kinds.index("starting the server") < kinds.index("loading") < kinds.index("ready") < kinds.index("thinking")
    assert kinds[-1] == "ready"


def test_pausing_in_a_file(recorded: tuple[Window, Path]) -> None:
    """In a paused file there are no requests; after resuming there are suggestions again."""
    window, log = recorded
    window.choose_from_menu("Pause in this file")
    window.wait_for_status("paused in this file")
    window.wait_for("the focus", lambda: window.has_focus)
    window.type("    retur")
    window.wait_for("the text", lambda: window.text == SUM + "    retur")
    window.choose_from_menu("Resume in this file")
    window.wait_for_status("ready")
    window.wait_for("the focus", lambda: window.has_focus)
    assert requests(log) == []
    window.type("n")
    assert window.wait_for("ghost text", lambda: window.ghost_text) == " a - b"


def test_pausing_for_a_language(window: Window) -> None:
    """A language is paused and resumed from the menu."""
    window.choose_from_menu("Pause for python")
    window.wait_for_status("paused for this language")
    window.choose_from_menu("Resume for python")
    window.wait_for_status("ready")


def test_ghost_text_that_is_off_is_shown(recorded: tuple[Window, Path]) -> None:
    """If editor.inlineSuggest.enabled is off, there are no requests, and the status bar shows the reason."""
    window, log = recorded
    window.set_in_workspace(
        midfill__server__path=str(log.parent / "midfill-recorded"), editor__inlineSuggest__enabled=False
    )
    window.wait_for_status("paused: the setting editor.inlineSuggest.enabled is off")
    window.type("    return")
    window.wait_for("the text", lambda: window.text == SUM + "    return")
    window.set_in_workspace(midfill__server__path=str(log.parent / "midfill-recorded"))
    window.wait_for_status("ready")
    assert requests(log) == []


def test_switching_from_a_missing_model(window: Window, tmp_path: Path) -> None:
    """A folder without a model is an error in the status bar. It goes when the user switches to a model."""
    bundles = tmp_path / "bundles"
    bundles.mkdir()
    (bundles / "good").symlink_to(default_bundle())
    window.set_in_workspace(midfill__bundle=str(bundles / "gone"))
    assert "gone" in window.wait_for("an error", lambda: "bundle" in window.status and window.status)
    window.choose_from_menu("Switch model")
    window.page.locator(".quick-input-list .monaco-list-row", has_text="good").first.click()
    window.wait_for_status("ready")
    window.focus_editor()
    window.type("    return")
    assert window.wait_for("ghost text", lambda: window.ghost_text) == " a - b"


def test_a_code_action_is_previewed_and_applied(window: Window) -> None:
    """The edit of a code action is previewed, and applied only after the user confirms it."""
    window.replace_file(MEDIAN)
    window.press("Control+Home")
    window.choose_action("Add documentation")
    apply = window.page.get_by_role("button", name="Apply", exact=True)
    apply.wait_for(timeout=ACTION_PATIENCE * 1000)
    assert window.text == MEDIAN
    window.page.locator(".bulk-edit-panel .edit-checkbox").first.check()
    apply.click()
    window.wait_for("documentation", lambda: '"""' in window.text)
    assert [line for line in window.text.splitlines() if line in MEDIAN.splitlines()] == MEDIAN.splitlines()
    assert ast.get_docstring(ast.parse(window.text).body[0])  # type: ignore[arg-type]


def test_an_explanation_and_a_follow_up_question(window: Window) -> None:
    """An explanation is streamed into a document beside the code, and the answer to a follow-up question too."""
    window.replace_file(MEDIAN)
    window.press("Control+Home")
    window.choose_action("Explain")
    page = window.page.get_by_role("tab", name="Midfill Answer.md")
    page.wait_for(timeout=ACTION_PATIENCE * 1000)
    window.wait_for_line("# Explain")
    window.wait_for_no_line("…", ACTION_PATIENCE)
    page.click()
    window.run_command("Midfill: Ask…")
    window.page.locator(".quick-input-box input").fill("What if it is empty?")
    window.press("Enter")
    window.wait_for_line("What if it is empty?")
    window.wait_for_no_line("…", ACTION_PATIENCE)
    window.wait_for_line("empty")


def test_the_doctor_is_shown(window: Window) -> None:
    """The output of the doctor appears beside the code."""
    window.choose_from_menu("Doctor")
    window.page.locator(".view-line", has_text="libraries").first.wait_for()


def test_why_shows_the_last_prompt(window: Window) -> None:
    """The result of the last request appears beside the code, with the exact prompt."""
    window.type("    return")
    window.wait_for("ghost text", lambda: window.ghost_text == " a - b")
    window.choose_from_menu("Why this suggestion?")
    window.page.locator(".view-line", has_text="shown: 6 characters").wait_for()
    window.page.get_by_role("tab", name="Midfill Why.md").click()
    window.wait_for_status("inactive here")  # this document is not a file, as in a virtual workspace
    window.press("Control+End")
    window.page.locator(".view-line", has_text="<|fim_middle|>").first.wait_for()


def test_what_is_accepted_is_counted(recorded: tuple[Window, Path]) -> None:
    """The server learns what was accepted, and shows its counts."""
    window, log = recorded
    window.type("    return")
    window.wait_for("ghost text", lambda: window.ghost_text == " a - b")
    window.press("Tab")
    window.wait_for("the server to be told", lambda: "workspace/executeCommand" in log.read_text())
    window.choose_from_menu("Statistics")
    window.page.locator(".view-line", has_text="on this machine only").wait_for()
    window.page.locator(".view-line", has_text="characters accepted").wait_for()


def test_an_untrusted_folder_cannot_choose_the_server(
    tools: Tools, extension: Path, browser: Browser, file: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The program that an untrusted folder names is not run before the user trusts the folder."""
    program, has_run = tmp_path / "program", tmp_path / "has-run"
    program.write_text(f"#!/bin/sh\ntouch {has_run}\n")
    program.chmod(0o755)
    write_settings(file.parent, midfill__server__path=str(program))
    with (
        CodeServer(tools, extension, tmp_path / "home", path=WITH_MIDFILL, trusting=False) as server,
        open_window(browser, server, file, EVIDENCE / f"{request.node.name}.png") as window,
    ):
        window.wait_for_status("ready")
        window.type("    return")
        assert window.wait_for("ghost text", lambda: window.ghost_text) == " a - b"
        assert not has_run.exists()
        window.run_command("Workspaces: Manage Workspace Trust")
        window.page.get_by_role("button", name="Trust", exact=True).click()
        window.wait_for_status("The server did not start")
        assert has_run.exists()


def test_the_server_is_installed_when_it_is_missing(
    tools: Tools, extension: Path, browser: Browser, file: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """If the server is missing, the extension says so, and its walkthrough installs the bundled one."""
    with (
        CodeServer(tools, extension, tmp_path / "home", path="/usr/local/bin:/usr/bin:/bin") as server,
        open_window(browser, server, file, EVIDENCE / f"{request.node.name}.png") as window,
    ):
        window.wait_for_status("The Midfill server is not installed")
        window.page.locator(".notification-list-item").get_by_text("First Steps").click()
        window.page.locator(".getting-started-step").get_by_role("button", name="Install the Server").click()
        window.wait_for_status("ready", patience=10 * PATIENCE)
        window.page.locator(".getting-started-step[aria-checked=true]", has_text="Install the server").wait_for()
        window.page.get_by_role("tab", name="sums.py").click()
        window.focus_editor()
        window.type("    return")
        assert window.wait_for("ghost text", lambda: window.ghost_text) == " a - b"


def test_a_missing_python_is_reported(
    tools: Tools, extension: Path, browser: Browser, file: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """If there is no Python to install the server with, a message says what to do."""
    with (
        CodeServer(tools, extension, tmp_path / "home", path=str(tmp_path)) as server,
        open_window(browser, server, file, EVIDENCE / f"{request.node.name}.png") as window,
    ):
        window.wait_for_status("The Midfill server is not installed")
        window.page.locator(".notification-list-item").get_by_text("Install It").click()
        window.page.locator(".notification-list-item", has_text="Midfill needs Python 3.10 or newer").wait_for()
        assert window.status == "The Midfill server is not installed"


def _type_until_one_is_cancelled(window: Window, log: Path, text: str) -> None:
    """Type a text, each key when the one before has led to a request, until a request is cancelled."""
    for character in text:
        asked = len(requests(log))
        window.page.keyboard.type(character)
        window.wait_for("a request", partial(_is_answered, window, log, asked))
        if any(request.cancelled for request in requests(log)):
            break


def _is_answered(window: Window, log: Path, asked: int) -> bool:
    """Say whether a key has led to a request, or to ghost text without one."""
    return len(requests(log)) > asked or bool(window.ghost_text)
