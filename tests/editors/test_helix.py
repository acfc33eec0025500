"""Helix, which has no package of ours: what docs/editors.md says to write down makes Midfill work in it."""

from __future__ import annotations

import ast
import re

import pytest

from editors.conftest import Start, launcher
from editors.editors import Helix

SUM = "def add(first, second):\n    return first +"
MEDIAN = """\
def median(numbers):
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2
"""


@pytest.fixture
def helix(start: Start) -> Helix:
    """Return Helix."""
    editor = start("helix-25")
    assert isinstance(editor, Helix)
    return editor


def accept_and_check(helix: Helix) -> None:
    """Take what the menu has from the model, and see it in the text."""
    helix.wait_for_text(" second ")
    helix.press("next")
    helix.wait_for_text("Midfill")  # where the item is from
    helix.press("accept")
    helix.wait_for_text("return first + second\n")
    assert helix.contents() == f"{SUM} second\n"


def test_completion(helix: Helix) -> None:
    """The menu has a suggestion of the real model, by its key and while one types; accepting puts it into the text."""
    helix.open(f"{SUM} se")
    helix.insist("\x18", " second ")
    accept_and_check(helix)
    helix.open(SUM)
    helix.type(" se")
    accept_and_check(helix)


def test_code_action(helix: Helix) -> None:
    """Chosen from Helix' own menu, an action is done by the model, and its edit is in the text."""
    helix.open(MEDIAN)
    helix.command_line("goto 1")
    helix.insist(" a", "Add documentation")
    helix.press("accept")
    helix.wait_for_action('"""')
    text = helix.contents()
    assert [line for line in text.splitlines() if line in MEDIAN.splitlines()] == MEDIAN.splitlines()
    assert ast.get_docstring(ast.parse(text).body[0])  # type: ignore[arg-type]


def test_health(helix: Helix) -> None:
    """Helix finds the server."""
    helix.command_line(f"sh {launcher('helix-25')} --health python")
    helix.terminal.wait_for(lambda: re.search("✓.*midfill: .*/midfill", helix.screen), "the server to be named")
