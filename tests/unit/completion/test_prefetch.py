"""The request that is expected after a suggestion is accepted."""

from __future__ import annotations

import pytest

from midfill.completion.prefetch import after_accepting
from midfill.completion.types import Completion, Request
from unit.helpers import CURSOR, split


@pytest.mark.parametrize(
    ("before", "suggestion", "after"),
    [
        ("x = ▮", "1", "x = 1\n▮"),
        ("def f():\n    ▮\n", "return 1", "def f():\n    return 1\n    ▮\n"),
        ("def f():\n  if a▮\n", ":", "def f():\n  if a:\n    ▮\n"),
        ("func f() {\n\tif a ▮\n}", "{", "func f() {\n\tif a {\n\t\t▮\n}"),
        ("f(▮)", "a, b", "f(a, b▮)"),
        ("▮", "def f():", "def f():\n    ▮"),
    ],
)
def test_next_place(before: str, suggestion: str, after: str) -> None:
    """After a complete line the cursor is in a new, indented line; within a line it is after the suggestion."""
    text, offset = split(before)
    request = Request(text=text, offset=offset, path="a", alternatives=3)
    expected = after_accepting(request, Completion(text=suggestion, start=offset, end=offset))
    assert f"{expected.text[: expected.offset]}{CURSOR}{expected.text[expected.offset :]}" == after
    assert (expected.path, expected.automatic, expected.alternatives, expected.ahead) == ("a", True, 1, True)
