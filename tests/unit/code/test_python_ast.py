"""Python's parser, with invalid text and from several threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from midfill.code.python_ast import parse


@pytest.mark.parametrize("text", ["def f(:", "\0", "(" * 10_000, "  x"])
def test_invalid_python_has_no_tree(text: str) -> None:
    """The result is None; nothing is raised, even for very deep nesting."""
    assert parse(text) is None


def test_escapes_that_python_warns_of_are_python() -> None:
    """They are parsed without the warning."""
    assert parse(r"x = '\d'") is not None


def test_threads_may_parse_at_once() -> None:
    """Each thread gets its tree."""
    text = "def f(x):\n    return [x for y in (x, (x, [x]))]\n" * 200
    with ThreadPoolExecutor(4) as threads:
        assert all(tree is not None and len(tree.body) == 200 for tree in threads.map(parse, [text] * 40))
