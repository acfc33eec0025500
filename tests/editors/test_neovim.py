"""The Neovim plug-in's commands, options, health check and help, and what it does when the server fails."""

from __future__ import annotations

import ast
import re
import runpy
import subprocess
from pathlib import Path
from typing import ClassVar

import pytest

from editors.conftest import Start
from editors.editors import Editor, Neovim
from editors.neovims import NEWEST, PLUGIN, SUM, VERSIONS, neovim

MEDIAN = """\
def median(numbers):
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2
"""


class Listening(Neovim):
    """Neovim that keeps what it would tell the server of an accepted suggestion."""

    before_setup: ClassVar[str] = """
vim.lsp.commands["midfill.accepted"] = function(command)
  vim.g.told = "told " .. table.concat(command.arguments, " ")
end
"""


class Broken(Neovim):
    """Neovim with a mistake in its options."""

    configuration = Neovim.configuration.replace("settings =", "colour = 1, debounce_ms = 'soon', settings =")


@pytest.mark.parametrize("version", VERSIONS)
def test_health(start: Start, version: str) -> None:
    """The health check reports neither a warning nor an error."""
    editor = neovim(start(version))
    editor.open(SUM)
    editor.wait_for_text("midfill:ready")
    editor.command_line("checkhealth midfill")
    editor.wait_for_text("the server runs for 1 buffer(s)")
    assert "OK midfill " in editor.screen
    assert not re.search("WARNING|ERROR", editor.screen)


@pytest.mark.parametrize("version", VERSIONS)
def test_why_and_statistics(start: Start, version: str) -> None:
    """`why` shows the whole prompt and uses its window again, `stats` shows counts, and a wrong number is an error."""
    editor = neovim(start(version))
    editor.open(SUM)
    editor.wait_for_ghost(" second")
    editor.command_line("Midfill why")
    editor.wait_for_text("midfill://why")
    assert "# Why" in editor.screen
    editor.type("G")
    editor.wait_for_text("<|fim_middle|>")
    editor.command_line("Midfill why 2")
    editor.wait_for_text("# Why")
    editor.type("q")
    editor.command_line("Midfill stats")
    editor.wait_for_text("on this machine only")
    editor.command_line("Midfill why nothing")
    editor.terminal.wait_for(lambda: "cannot explain 'nothing'" in editor.screen, "the message")


def choose_documentation(editor: Neovim) -> None:
    """Have Neovim's own menu document `median`, and wait for the edit or the question about it."""
    editor.open(MEDIAN)
    editor.wait_for_text("midfill:ready")
    editor.command_line("call cursor(1, 1) | lua vim.lsp.buf.code_action()")
    editor.wait_for_text("Add documentation")
    [number] = re.findall(r"^(\d+): Add documentation", editor.screen, re.MULTILINE)
    editor.type(f"{number}\r")


def assert_documented(text: str) -> None:
    """Assert that a text is `median` with a docstring, and otherwise unchanged."""
    assert [line for line in text.splitlines() if line in MEDIAN.splitlines()] == MEDIAN.splitlines()
    [function] = ast.parse(text).body
    assert isinstance(function, ast.FunctionDef)
    assert ast.get_docstring(function)


@pytest.mark.parametrize("version", [version for version in VERSIONS if version != NEWEST])
def test_code_action(start: Start, version: str) -> None:
    """An action that is chosen from Neovim's own menu edits the buffer."""
    editor = neovim(start(version))
    choose_documentation(editor)
    editor.wait_for_action('"""')
    editor.type("gi")
    assert_documented(editor.contents())


def test_code_action_that_is_confirmed(start: Start) -> None:
    """Neovim 0.12 knows edits that the user must confirm, and asks before it applies one."""
    editor = neovim(start(NEWEST))
    choose_documentation(editor)
    editor.wait_for_action("Apply all changes")
    editor.type("y")
    editor.wait_for_text("Press ENTER")
    editor.type("\r")
    editor.wait_for_text('"""')
    editor.type("gi")
    assert_documented(editor.contents())


@pytest.mark.parametrize("version", VERSIONS)
def test_explanation_and_question(start: Start, version: str) -> None:
    """An answer appears in a window of its own while the model generates it, and a question there goes on from it."""
    editor = neovim(start(version, rows=40))
    editor.open(MEDIAN)
    editor.wait_for_text("midfill:ready")
    editor.command_line("1Midfill explain")
    editor.wait_for_text("# Explain")
    editor.wait_for_action(r"# Explain\n.*(median|middle|sort)")  # without dots: it is all there
    editor.command_line("wincmd j | call feedkeys('a')")
    editor.terminal.wait_for(lambda: "Ask:" in editor.screen, "to be asked")
    editor.type("What if it is empty?\r")
    editor.wait_for_text("# Ask about this code")
    editor.wait_for_action(r"# Ask about this code\n.*empty")
    editor.command_line("Midfill stop")


@pytest.mark.parametrize("version", VERSIONS)
def test_the_server_is_told_what_is_accepted(start: Start, version: str) -> None:
    """Accepting runs the item's command, with the length of what was accepted."""
    editor = neovim(start(version, Listening))
    editor.open(SUM)
    ghost = editor.wait_for_ghost(" second")
    editor.press("accept")
    editor.wait_for_text(f"first +{ghost}")
    editor.command_line("echo g:told")
    editor.terminal.wait_for(lambda: re.search(rf"told \d+ {len(ghost)}\b", editor.screen), "the command")


@pytest.mark.parametrize("version", VERSIONS)
def test_server_that_keeps_dying(start: Start, version: str) -> None:
    """A server that crashes again and again is not started any more, and a message says what to do."""
    editor = neovim(start(version, command="false"))
    file = editor.home / "sum.py"
    file.write_text(SUM)
    editor.visit(file)  # a message of Neovim's own may wait for a key before the file is seen
    editor.terminal.wait_for(lambda: "4 times" in editor.screen or press_enter(editor), "the message")
    assert "`:Midfill restart`" in editor.screen


def press_enter(editor: Editor) -> bool:
    """Go past a message that waits for a key."""
    if "Press ENTER" in editor.screen:
        editor.type("\r")
        editor.terminal.pump(0.2)
    return False


def test_missing_program(start: Start) -> None:
    """A message names the program that is missing."""
    editor = start(NEWEST, command="midfill-that-is-not-there")
    editor.terminal.wait_for(lambda: "there is no program 'midfill-that-is-not-there'" in editor.screen, "the message")


def test_wrong_options(start: Start) -> None:
    """Messages name the wrong options, and Midfill works without them."""
    editor = neovim(start(NEWEST, Broken))
    editor.terminal.wait_for(lambda: "'colour'" in editor.screen, "the last message")
    editor.command_line("messages")
    for told in ("there is no option 'colour'", "option 'debounce_ms' must be a number"):
        editor.wait_for_text(told)
    editor.type("\r")
    editor.open(SUM)
    editor.wait_for_ghost(" second")


def test_own_ghost_text_where_there_is_a_builtin_one(start: Start) -> None:
    """Midfill's own ghost text can be chosen in a Neovim that has one."""

    class Own(Neovim):
        configuration = Neovim.configuration.replace("settings =", "builtin = false, settings =")

    editor = start(NEWEST, Own)
    editor.open(SUM)
    editor.wait_for_ghost(" second")
    editor.press("accept word")
    editor.wait_for_text("first + second")


def test_pause_of_a_buffer(start: Start) -> None:
    """A pause of one buffer leaves the others alone, and an unknown scope is an error."""
    editor = neovim(start(NEWEST))
    editor.open(SUM)
    editor.wait_for_ghost(" second")
    editor.run("pause buffer")
    editor.wait_for_text("midfill:paused")
    editor.open(SUM)
    editor.wait_for_ghost(" second")
    editor.run("pause everything")
    editor.terminal.wait_for(lambda: "cannot pause 'everything'" in editor.screen, "the message")


@pytest.mark.parametrize("version", VERSIONS)
def test_wiped_buffer(start: Start, version: str) -> None:
    """A buffer that is wiped out while it has ghost text leaves no error, and the next one has ghost text."""
    editor = neovim(start(version))
    editor.open(SUM)
    editor.wait_for_ghost(" second")
    editor.command_line("bwipeout!")
    editor.wait_for_text("[No Name]")
    editor.open(SUM)
    editor.wait_for_ghost(" second")
    editor.command_line("echo 'errors:' v:errmsg '.'")
    editor.terminal.wait_for(lambda: "errors:  ." in editor.screen, "no errors")


def test_doctor(start: Start) -> None:
    """What the doctor prints appears in a window; here `echo` stands for the program, which would take a minute."""
    editor = neovim(start(NEWEST, command="echo"))
    editor.command_line("Midfill doctor")
    editor.wait_for_text("midfill://doctor")
    assert "\ndoctor\n" in editor.screen


def test_log_and_command_line(start: Start) -> None:
    """An unknown subcommand is an error that lists the known ones, subcommands complete, and the log opens."""
    editor = neovim(start(NEWEST))
    editor.command_line("Midfill frobnicate")
    editor.terminal.wait_for(
        lambda: "there are: ask, doctor, document, document-all, explain" in editor.screen, "a list"
    )
    editor.command_line("Midfill lo\t")
    editor.wait_for_text("lsp.log")


def test_help(start: Start, tmp_path: Path) -> None:
    """The help file in the plug-in's archive has tags."""
    archive = runpy.run_path(str(PLUGIN / "archive.py"))["main"](tmp_path)
    subprocess.run(["tar", "xzf", archive], cwd=tmp_path, check=True)
    plugin = tmp_path / archive.name.removesuffix(".tar.gz")
    editor = neovim(start(NEWEST))
    editor.command_line(f"set runtimepath^={plugin} | helptags {plugin}/doc | help midfill-options")
    editor.wait_for_text("3. Options")
