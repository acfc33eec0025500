"""What users do with ghost text, in each real editor, over the real server and model."""

from __future__ import annotations

import ast
import signal
from functools import partial
from pathlib import Path

import pytest

from editors.conftest import WITH_GHOST_TEXT, Start
from editors.editors import Editor
from editors.recorder import recorded_server, requests

TO_FAHRENHEIT = """\
def celsius_to_fahrenheit(celsius):
    return celsius * 9 / 5 + 32


"""
FUNCTION = f"{TO_FAHRENHEIT}def fahrenheit_to_celsius(fahrenheit):\n    "


def suggested(editor: Editor) -> str:
    """Open the conversions, type on, and return the ghost text that comes."""
    editor.open(FUNCTION)
    editor.type("return (")
    return editor.wait_for_ghost("fahrenheit")


def test_accept_all(editor: Editor) -> None:
    """Typing brings ghost text; accepting it makes it text, and valid Python."""
    ghost = suggested(editor)
    editor.press("accept")
    editor.wait_for_text(f"return ({ghost}")
    text = editor.contents()
    assert text.startswith(f"{FUNCTION}return ({ghost}")
    ast.parse(text)


def test_accept_by_word(editor: Editor) -> None:
    """A word at a time becomes text, and what is left stays ghost text."""
    ghost = suggested(editor)
    editor.press("accept word")
    rest = editor.wait_for_ghost(ghost.removeprefix("fahrenheit"))
    assert f"return (fahrenheit{rest}" in editor.screen
    assert editor.contents() == f"{FUNCTION}return (fahrenheit"


def test_accept_by_line(editor: Editor) -> None:
    """A line at a time becomes text, the break before it included."""
    clamp = "def clamp(value, low, high):\n    if value"
    editor.open(clamp)
    editor.type(" <")
    assert "\n" in editor.wait_for_ghost(" low:")
    editor.press("accept line")
    editor.wait_for_text("if value < low:")
    editor.wait_for_ghost("        return low")
    editor.press("accept line")
    editor.wait_for_text("        return low")
    assert editor.contents() == f"{clamp} < low:\n        return low"


def test_typing_along(editor: Editor) -> None:
    """What is typed as suggested leaves the rest of the suggestion."""
    ghost = suggested(editor)
    editor.type("fahr")
    editor.wait_for_ghost(ghost.removeprefix("fahr"))
    editor.press("accept")
    editor.wait_for_text(f"return ({ghost}")
    assert editor.contents().startswith(f"{FUNCTION}return ({ghost}")


def test_typing_on(editor: Editor) -> None:
    """Typing something else takes the suggestion away, and brings one for what stands there now."""
    ghost = suggested(editor)
    editor.type("5 * (fahr")
    now = editor.wait_for_ghost("enheit")
    assert now != ghost
    assert editor.contents() == f"{FUNCTION}return (5 * (fahr"


def test_typing_fast(editor: Editor) -> None:
    """Requests that typing has outrun leave nothing on the screen."""
    editor.open(FUNCTION)
    for character in "return (fahrenhei":
        editor.type(character)
        editor.terminal.pump(0.03)
    assert editor.wait_for_ghost("t").startswith("t - 32")
    assert editor.contents() == f"{FUNCTION}return (fahrenhei"


@pytest.mark.parametrize("name", WITH_GHOST_TEXT)
def test_typing_on_cancels(start: Start, tmp_path: Path, name: str) -> None:
    """A key takes back the request that is under way, and every request is answered."""
    program, log = recorded_server(tmp_path)
    editor = start(name, command=str(program))
    editor.open("".join(f"def area_{n}(width, height):\n    return width * height\n\n\n" for n in range(100)))
    _type_until_one_is_cancelled(editor, log, "def largest_of_the_numbers(numbers): return")
    editor.terminal.wait_for(lambda: any(request.cancelled for request in requests(log)), "one to be taken back")
    editor.terminal.wait_for(lambda: all(request.is_over for request in requests(log)), "answers to all")


def test_dismiss(editor: Editor) -> None:
    """A key takes the suggestion away and leaves the text as it was."""
    suggested(editor)
    editor.press("dismiss")
    editor.terminal.wait_for(lambda: not editor.ghost, "the ghost text to go")
    assert editor.contents() == f"{FUNCTION}return ("


def test_other_suggestions(editor: Editor) -> None:
    """Asked for more, the server gives alternatives to leaf through, either way, and any can be accepted."""
    first = suggested(editor)
    editor.press("next")
    editor.terminal.wait_for(lambda: editor.ghost and not editor.ghost.startswith(first), "another suggestion")
    editor.press("previous")
    editor.wait_for_ghost(first)
    editor.press("accept")
    editor.wait_for_text(f"return ({first}")
    assert editor.contents().startswith(f"{FUNCTION}return ({first}")


@pytest.mark.parametrize("name", WITH_GHOST_TEXT)
@pytest.mark.parametrize("editor", WITH_GHOST_TEXT[-1:], indirect=True)
def test_pause_and_resume(editor: Editor, start: Start, tmp_path: Path, name: str) -> None:
    """While paused nothing is requested, though another editor gets a suggestion meanwhile; then there is one again."""
    program, log = recorded_server(tmp_path)
    paused = start(name, command=str(program))
    suggested(paused)
    paused.run("pause")
    made = len(requests(log))
    paused.open(FUNCTION)
    paused.type("return (")
    paused.wait_for_text("idfill:paused")
    suggested(editor)
    assert paused.contents() == f"{FUNCTION}return ("
    assert not paused.ghost
    assert len(requests(log)) == made
    paused.run("resume")
    paused.type("fahr")
    paused.wait_for_ghost("enheit")


def test_killed_server_comes_back(editor: Editor) -> None:
    """A server that dies is started again, and suggests."""
    suggested(editor)
    [server] = editor.servers()
    server.send_signal(signal.SIGKILL)
    editor.terminal.wait_for(lambda: [s for s in editor.servers() if s.pid != server.pid], "another server")
    editor.type("5 * (fahr")  # not along the suggestion of the old server, which is still shown
    editor.wait_for_ghost("enheit")


def test_restart(editor: Editor) -> None:
    """The user can have the server started anew."""
    suggested(editor)
    [server] = editor.servers()
    editor.run("restart")
    editor.terminal.wait_for(lambda: server.pid not in [s.pid for s in editor.servers()], "the old server to end")
    editor.terminal.wait_for(editor.servers, "another server")
    editor.type("5 * (fahr")  # not along the suggestion of the old server, which is still shown
    editor.wait_for_ghost("enheit")


def _type_until_one_is_cancelled(editor: Editor, log: Path, text: str) -> None:
    """Type a text, each key when the one before has led to a request, until a request is taken back."""
    for character in text:
        asked = len(requests(log))
        editor.type(character)
        editor.terminal.wait_for(partial(_is_answered, editor, log, asked), "a request")
        if any(request.cancelled for request in requests(log)):
            break


def _is_answered(editor: Editor, log: Path, asked: int) -> bool:
    """Say whether a key has led to a request, or to ghost text without one: the key may be what it begins with."""
    return len(requests(log)) > asked or bool(editor.ghost)
