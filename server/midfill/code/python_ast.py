"""Python's own parser, made safe for several threads, and a walk over the nodes of one scope."""

from __future__ import annotations

import ast
import threading
import warnings
from collections.abc import Iterable, Iterator

SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
"""Nodes that open a scope: their names and their return statements are their own."""
_PARSER_LOCK = threading.Lock()
"""Python 3.11 keeps one nesting counter for all threads, so parsing in two threads at once fails."""


def parse(text: str) -> ast.Module | None:
    """Return the syntax tree of a module; None when it is not valid Python."""
    try:
        with _PARSER_LOCK, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def own_nodes(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield ``nodes`` and their descendants, without the inner nodes of functions and classes."""
    stack = list(nodes)
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, SCOPES):
            stack.extend(ast.iter_child_nodes(node))
