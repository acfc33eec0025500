"""Python's own parser, for several threads, and what belongs to a function in its trees."""

from __future__ import annotations

import ast
import threading
import warnings
from collections.abc import Iterable, Iterator

SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
"""What has names of its own, and returns of its own."""
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


def own_nodes(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield all nodes but those within functions and classes."""
    stack = list(nodes)
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, SCOPES):
            stack.extend(ast.iter_child_nodes(node))
