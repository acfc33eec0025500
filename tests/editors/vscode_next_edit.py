"""The next edit in the real VS Code with the real model; `nox -s vscode` runs it, beside `vscode_in_browser.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from edited_texts import CIRCLE, LIKE_LINES, with_radius
from editors.vscode_window import ACTION_PATIENCE, Window, write_settings

pytest_plugins = ("editors.vscode_fixtures",)

FUNCTION = """def area_{0}(width, height):
    return width * height


"""
LIKE = f"""{LIKE_LINES}

{"".join(FUNCTION.format(n) for n in range(12))}config["user"] = os.environ.get("USER")


def subtract(a, b):
"""
APPLY = "next edit. Tab: apply"


@pytest.fixture
def file(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Return a file with the text of the parameter, in a workspace where the next edit is on."""
    file = tmp_path / "work" / "code.py"
    file.parent.mkdir()
    file.write_text(request.param)
    write_settings(file.parent, midfill__nextEdit=True)
    return file


@pytest.mark.parametrize("file", [LIKE], indirect=True, ids=["like"])
def test_like_lines(window: Window) -> None:
    """Tab goes to the like line, Tab applies it, Escape dismisses the one out of view, and ghost text is as always."""
    window.go_to(4, 39)
    window.page.keyboard.insert_text(', ""')
    window.wait_for("the edit", lambda: {', ""', "Tab: go here"} <= set(window.drawn), ACTION_PATIENCE)
    first = LIKE.replace('"HOST"', '"HOST", ""')
    assert window.text == first
    window.press("Tab")
    window.wait_for_status(APPLY)
    window.press("Tab")
    second = first.replace('"PORT"', '"PORT", ""')
    window.wait_for("the edit in the file", lambda: window.text == second)
    window.wait_for("an edit out of view", lambda: "↓ Tab: next edit, line 56" in window.drawn, ACTION_PATIENCE)
    window.press("Escape")
    window.wait_for_status("ready")
    assert window.drawn == []
    window.type("    return")
    window.wait_for("ghost text", lambda: window.ghost_text == " a - b", ACTION_PATIENCE)
    window.press("Tab")
    window.wait_for("both in the file", lambda: window.text == second + "    return a - b")


@pytest.mark.parametrize("file", [CIRCLE], indirect=True, ids=["rename"])
def test_the_uses_of_a_renamed_parameter(window: Window) -> None:
    """They are struck through, with the new name beside them. The edit is counted as applied."""
    window.go_to(4, 10)
    window.press("Shift+ArrowRight")
    window.page.keyboard.insert_text("radius")
    window.wait_for("the edit", lambda: window.drawn.count("radius") == 3, ACTION_PATIENCE)
    assert window.struck_through == ["r", "r", "r"]
    window.press("Tab")
    window.wait_for_status(APPLY)
    window.press("Tab")
    window.wait_for("the edit in the file", lambda: window.text == with_radius(CIRCLE))
    window.choose_from_menu("Statistics")
    window.wait_for_line("edits applied")
