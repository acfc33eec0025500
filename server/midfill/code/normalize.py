"""What a text says to its compiler: its code without layout, comments and documentation, by tree-sitter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import cast

from tree_sitter import Node, Parser
from tree_sitter_language_pack import SupportedLanguage, get_language

from midfill.code.languages import Language
from midfill.code.syntax import Syntax

_WHOLE = ("string", "template_string", "string_literal", "raw_string_literal", "heredoc_body", "char_literal")
"""Kept in one piece: white space within counts."""
_TYPES = frozenset({"type", "type_annotation", "return_type"})
_BEFORE_A_TYPE = frozenset({":", "->"})


def code_tokens(text: str, language: Language, *, with_types: bool = True) -> list[str]:
    """Return the tokens of ``text`` without comments and docstrings, and without annotations of types if asked.

    Of a text in no known language, its words.
    """
    if not language.grammar:
        return text.split()
    data = text.encode("utf-8", "replace")
    tree = Parser(get_language(cast("SupportedLanguage", language.grammar))).parse(data)
    return [(node.text or b"").decode("utf-8", "replace") for node in _leaves(tree.root_node, with_types)]


def signatures(text: str, language: Language) -> dict[str, Counter[tuple[str, ...]]]:
    """Return how the functions and classes of ``text`` are declared, by name; methods of one name together."""
    found: dict[str, Counter[tuple[str, ...]]] = {}
    for definition in Syntax(text, language).definitions():
        if definition.kind in ("function", "class"):
            declared = tuple(code_tokens(definition.signature, language))
            found.setdefault(definition.name, Counter())[declared] += 1
    return found


def _leaves(root: Node, with_types: bool) -> Iterator[Node]:
    stack = [root]
    while stack:
        node = stack.pop()
        if "comment" in node.type or _is_docstring(node):
            continue
        if node.type in _WHOLE or not node.children:
            if node.text and node.text.strip():
                yield node
            continue
        children = node.children if with_types else _without_types(node)
        stack.extend(reversed(children))


def _without_types(node: Node) -> list[Node]:
    kept: list[Node] = []
    for child in node.children:
        if child.type in _TYPES:
            if kept and kept[-1].type in _BEFORE_A_TYPE:
                kept.pop()
        else:
            kept.append(child)
    return kept


def _is_docstring(node: Node) -> bool:
    """Whether a node is the string that a Python module or block begins with."""
    if node.type == "expression_statement" and len(node.named_children) == 1:
        is_text = node.named_children[0].type == "string"
    else:
        is_text = node.type == "string"
    parent = node.parent
    if not is_text or parent is None or parent.type not in ("block", "module"):
        return False
    first = next((child for child in parent.named_children if child.type != "comment"), None)
    return first is not None and first.start_byte == node.start_byte
