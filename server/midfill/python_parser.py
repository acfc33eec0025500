"""Python's own parser, for several threads."""

from __future__ import annotations

import ast
import threading
import warnings

_ONE_AT_A_TIME = threading.Lock()
"""Python 3.11 counts the depth of its trees for all threads together, and fails when two of them parse at once."""


def parse(text: str) -> ast.Module | None:
    """Return the syntax tree of a module, None if Python would not take it."""
    try:
        with _ONE_AT_A_TIME, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
