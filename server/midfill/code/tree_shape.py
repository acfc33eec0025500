"""The shape of a syntax tree. In some shapes, queries and walks outwards take a time that grows with its square."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tree_sitter import Node, Tree

_MAX_DEPTH = 500
"""Maximum number of nodes around a node. For each node, a query walks through all nodes around it."""
_MAX_SIGNS = 200
"""Maximum number of signs in a row, such as brackets, in one error. For each sign, a query walks to the next name."""


def ordinary_end(tree: Tree) -> int:
    """Return the offset, in bytes, up to which a tree is of a shape that code has.

    There it is not very deep, and no error has very many signs in a row.
    """
    return min([_shallow_end(tree), *map(_few_signs_end, error_nodes(tree))])


def error_nodes(tree: Tree) -> Iterator[Node]:
    """Yield the nodes that the grammar does not understand, and those that it misses."""
    stack = [tree.root_node]
    while stack:
        node = stack.pop()
        if node.is_error or node.is_missing:
            yield node
        if node.has_error:
            stack.extend(node.children)


def _shallow_end(tree: Tree) -> int:
    cursor, depth = tree.walk(), 0
    while depth <= _MAX_DEPTH:
        if cursor.goto_first_child():
            depth += 1
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return sys.maxsize
            depth -= 1
    return cursor.node.start_byte if cursor.node else 0


def _few_signs_end(error: Node) -> int:
    signs = 0
    for child in error.children:
        signs = 0 if child.is_named else signs + 1
        if signs > _MAX_SIGNS:
            return child.start_byte
    return sys.maxsize
