"""Code reduced to what a compiler sees: tokens without layout, comments and docstrings, by tree-sitter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tree_sitter import Node

from midfill.code.grammars import parse
from midfill.code.languages import Language
from midfill.code.syntax import Syntax

_UNDIVIDED_NODES = ("string", "template_string", "string_literal", "raw_string_literal", "heredoc_body", "char_literal")
"""Nodes that become one token, because white space within them matters."""
_TYPE_NODES = frozenset({"type", "type_annotation", "return_type"})
_TYPE_MARKS = frozenset({":", "->"})
"""Tokens before a type annotation."""


def code_tokens(text: str, language: Language, *, with_types: bool = True) -> list[str]:
    """Return the tokens of ``text`` without comments and docstrings, and optionally without type annotations.

    In plain text the tokens are what white space separates.
    """
    if not language.grammar:
        return text.split()
    data = text.encode("utf-8", "replace")
    tree = parse(data, language.grammar)
    return [(node.text or b"").decode("utf-8", "replace") for node in _leaves(tree.root_node, with_types)]


def signatures(text: str, language: Language) -> dict[str, Counter[tuple[str, ...]]]:
    """Return the signatures of the functions and classes of ``text``, as tokens, counted, by name."""
    by_name: dict[str, Counter[tuple[str, ...]]] = {}
    for definition in Syntax(text, language).definitions():
        if definition.kind in ("function", "class"):
            signature = tuple(code_tokens(definition.signature, language))
            by_name.setdefault(definition.name, Counter())[signature] += 1
    return by_name


def _leaves(root: Node, with_types: bool) -> Iterator[Node]:
    stack = [root]
    while stack:
        node = stack.pop()
        if "comment" in node.type or _is_docstring(node):
            continue
        if node.type in _UNDIVIDED_NODES or not node.children:
            if node.text and node.text.strip():
                yield node
            continue
        children = node.children if with_types else _without_types(node)
        stack.extend(reversed(children))


def _without_types(node: Node) -> list[Node]:
    kept: list[Node] = []
    for child in node.children:
        if child.type in _TYPE_NODES:
            if kept and kept[-1].type in _TYPE_MARKS:
                kept.pop()
        else:
            kept.append(child)
    return kept


def _is_docstring(node: Node) -> bool:
    """Return whether a node is the string at the start of a Python module or block."""
    if node.type == "expression_statement" and len(node.named_children) == 1:
        is_string = node.named_children[0].type == "string"
    else:
        is_string = node.type == "string"
    parent = node.parent
    if not is_string or parent is None or parent.type not in ("block", "module"):
        return False
    first = next((child for child in parent.named_children if child.type != "comment"), None)
    return first is not None and first.start_byte == node.start_byte
