"""Actions say themselves what they need and give, so that no other code asks which action it is."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

import midfill
from midfill.actions import ACTIONS
from midfill.actions.action import Need, Place

FOLDERS = ("actions", "session", "lsp", "cli")
NAMES = {action.name for action in ACTIONS.values()} | {action.kind for action in ACTIONS.values()}
CONSTANTS = {name.upper().replace("-", "_") for name in ACTIONS}


def is_name(node: ast.expr) -> bool:
    """Return whether a node is the name or the kind of an action, or the beginning of a kind."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in NAMES


def compares(node: Any) -> bool:
    """Return whether a node compares something with an action, or with its name or kind."""
    parts = [part for part in ast.walk(node) if isinstance(part, ast.expr)]
    constant = any(isinstance(part, ast.Name) and part.id in CONSTANTS for part in parts)
    return isinstance(node, (ast.Compare, ast.MatchValue)) and (constant or any(map(is_name, parts)))


def looks_up(node: Any) -> bool:
    """Return whether a node gets one action by its name."""
    if isinstance(node, ast.Subscript):
        return is_name(node.slice)
    return is_call(node, "get") and any(map(is_name, node.args[:1]))


def reads_kind(node: Any) -> bool:
    """Return whether a node asks how an action's kind begins, by a constant."""
    constant = is_call(node, "startswith") and any(isinstance(part, ast.Constant) for part in node.args[:1])
    return constant and ast.unparse(node.func.value).endswith("kind")


def is_call(node: Any, method: str) -> bool:
    """Return whether a node calls a method of this name."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method


def branches(source: str) -> list[str]:
    """Return the expressions that depend on which action an action is."""
    nodes = ast.walk(ast.parse(source))
    return [ast.unparse(node) for node in nodes if compares(node) or looks_up(node) or reads_kind(node)]


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_code_depends_on_which_action_it_is(folder: str) -> None:
    """No comparison with an action's name, kind or constant, and no look-up of one action by its name."""
    files = list((Path(midfill.__file__).parent / folder).rglob("*.py"))
    assert files
    assert [found for file in files for found in branches(file.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    "source",
    [
        'x = action.name == "fix"',
        'x = action.name in ("review", "ask")',
        'x = action.kind.startswith("source.")',
        'x = ACTIONS["explain"]',
        'x = ACTIONS.get("fix")',
        "x = action is EXTRACT",
        'match name:\n    case "document-all":\n        pass',
    ],
)
def test_such_code_would_be_found(source: str) -> None:
    """In each of its forms."""
    assert len(branches(source)) == 1


def test_what_each_action_needs_gives_and_where_it_is_offered() -> None:
    """All of it, at a glance."""
    places = {Place.CURSOR: "cursor", Place.SELECTION: "selection", Place.DIAGNOSTIC: "diagnostic", Place.FILE: "file"}
    found = {
        name: (
            action.needs.name.lower() if action.needs else "",
            action.gives.name.lower(),
            " ".join(sorted(places[place] for place in action.offered)),
        )
        for name, action in ACTIONS.items()
    }
    assert found == {
        "fix": ("message", "edit", "diagnostic"),
        "write": ("", "edit", "cursor selection"),
        "document": ("", "edit", "cursor selection"),
        "types": ("", "edit", "cursor selection"),
        "simplify": ("", "edit", "cursor selection"),
        "faster": ("", "edit", "cursor selection"),
        "extract": ("", "edit", "selection"),
        "tests": ("", "edit", "cursor selection"),
        "explain": ("", "text", "cursor selection"),
        "ask": ("instruction", "text", "cursor selection"),
        "document-all": ("", "edit", "file"),
        "review": ("", "findings", "file"),
    }


def test_action_that_a_traceback_locates_needs_a_message() -> None:
    """There is no traceback without one."""
    located = {name: action for name, action in ACTIONS.items() if action.locate}
    assert list(located) == ["fix"]
    assert {action.needs for action in located.values()} == {Need.MESSAGE}
