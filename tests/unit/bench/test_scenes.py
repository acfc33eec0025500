"""The typed text: real functions, cut and typed again as they were."""

from __future__ import annotations

import ast

import pytest

from midfill.bench.scenes import Scene, scenes, sources, typing_pauses


def test_typing_everything_restores_the_file() -> None:
    """Each scene is a file of the standard library with a gap, and its keys fill the gap."""
    texts = dict(sources())
    found = scenes(len(texts))
    assert len(found) == len(texts)
    for scene in found:
        keys = scene.keys(10**6)
        assert "".join(key.text for key in keys) == scene.typed
        assert scene.before + scene.typed + scene.after == texts[scene.path]


def test_cursor_stands_before_a_statement() -> None:
    """A scene begins where an editor has indented the next line, and ends with its function."""
    for scene in scenes(6):
        line = scene.before.rpartition("\n")[2]
        assert line
        assert not line.strip()
        assert not scene.typed[0].isspace()
        assert scene.after.startswith("\n")
        ast.parse(f"def f():\n{line}{scene.typed}\n")


def test_newline_comes_with_its_indentation() -> None:
    """One key ends a line and indents the next, as editors do; every other key is a character."""
    keys = Scene("a.py", "", "if x:\n    y\n\nz", "").keys(100)
    assert [key.text for key in keys] == ["i", "f", " ", "x", ":", "\n    ", "y", "\n", "\n", "z"]
    assert [key.rest for key in keys] == ["f x:", " x:", "x:", ":", "", "y", "", "", "z", ""]


def test_rest_reaches_beyond_the_last_key() -> None:
    """A replay that ends in the middle of a line knows the rest of the line."""
    assert [key.rest for key in Scene("a.py", "", "abc\nd", "").keys(2)] == ["bc", "c"]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_rhythm_is_human_and_the_same_each_time(seed: int) -> None:
    """Pauses vary around the mean, and are the same for both sides."""
    pauses = typing_pauses(50, 0.2, seed)
    assert pauses == typing_pauses(50, 0.2, seed)
    assert all(0.1 <= pause <= 0.3 for pause in pauses)
    assert len(set(pauses)) == 50
