"""Code reduced to what a compiler sees: tokens without layout, comments and docstrings, by tree-sitter."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest

from tree_sitter import Node

from midfill.code.comments_and_strings import enclosures_of
from midfill.code.enclosures import COMMENT, places
from midfill.code.grammars import can_parse, parse
from midfill.code.languages import Language
from midfill.code.syntax import Syntax

_UNDIVIDED_NODES = ("string", "template_string", "string_literal", "raw_string_literal", "heredoc_body", "char_literal")
"""Nodes that become one token, because white space within them matters."""
_MAX_MARK_CHARACTERS = 80
"""Maximum number of characters of the mark that opens a comment, with what stands before it."""
_TYPE_NODES = frozenset({"type", "type_annotation", "return_type"})
_TYPE_MARKS = frozenset({":", "->"})
"""Tokens before a type annotation."""


def code_tokens(text: str, language: Language, *, with_types: bool = True) -> list[str]:
    """Return the tokens of ``text`` without comments and docstrings, and optionally without type annotations.

    In plain text, and in text that takes too long to parse, the tokens are what white space separates.
    """
    data = text.encode("utf-8", "replace")
    if not language.grammar or not can_parse(data, language.grammar):
        return text.split()
    tree = parse(data, language.grammar)
    return [(node.text or b"").decode("utf-8", "replace") for node in _leaves(tree.root_node, with_types)]


def is_same_code(before: str, after: str, language: Language) -> bool:
    """Return whether two texts differ in comments, blank lines, docstrings and layout only.

    Where a language has a grammar, the trees are compared, so an indentation that means something counts. Elsewhere
    the lines are compared without the comments that the language's marks tell.
    """
    texts = [text.encode("utf-8", "replace") for text in (before, after)]
    if language.grammar and all(can_parse(data, language.grammar) for data in texts):
        old, new = (_shape(parse(data, language.grammar).root_node) for data in texts)
        return all(left == right for left, right in zip_longest(old, new))
    return _lines_of_code(before, language) == _lines_of_code(after, language)


def signatures(text: str, language: Language) -> dict[str, Counter[tuple[str, ...]]]:
    """Return the signatures of the functions and classes of ``text``, as tokens, counted, by name."""
    by_name: dict[str, Counter[tuple[str, ...]]] = {}
    for definition in Syntax(text, language).definitions():
        if definition.kind in ("function", "class"):
            signature = tuple(code_tokens(definition.signature, language))
            by_name.setdefault(definition.name, Counter())[signature] += 1
    return by_name


def _shape(root: Node) -> Iterator[str]:
    """Yield the texts of the leaves, without comments and docstrings, and the beginnings and ends of other nodes."""
    stack: list[Node | None] = [root]
    while stack:
        node = stack.pop()
        if node is None:
            yield ")"
        elif "comment" in node.type:
            continue
        elif node.type in _UNDIVIDED_NODES or not node.children:
            if node.text and node.text.strip():
                yield (node.text or b"").decode("utf-8", "replace")
        else:
            yield f"({node.type}"
            docstring = _docstring_in(node)
            stack += [None, *(child for child in reversed(node.children) if child != docstring)]


def _lines_of_code(text: str, language: Language) -> list[str]:
    """Return the lines without comments and without white space at their ends; blank ones are left out."""
    found = [*places(text, enclosures_of(language))]
    ends = [offset for offset, _ in found[1:]] + [len(text)]
    kept: list[str] = []
    for (start, place), end in zip(found, ends, strict=True):
        if place.kind != COMMENT:
            kept.append(text[start:end])
        elif place.enclosure:
            mark = re.search(rf"(?:{place.enclosure.opening})\Z", text[:start][-_MAX_MARK_CHARACTERS:], re.MULTILINE)
            kept[-1] = kept[-1][: len(kept[-1]) - len(mark[0])] if mark else kept[-1]
            kept.append("\n" * text[start:end].endswith("\n"))
    return [line.rstrip() for line in "".join(kept).split("\n") if line.strip()]


def _leaves(root: Node, with_types: bool) -> Iterator[Node]:
    stack = [root]
    while stack:
        node = stack.pop()
        if "comment" in node.type:
            continue
        if node.type in _UNDIVIDED_NODES or not node.children:
            if node.text and node.text.strip():
                yield node
            continue
        children = node.children if with_types else _without_types(node)
        docstring = _docstring_in(node)
        stack.extend(child for child in reversed(children) if child != docstring)


def _without_types(node: Node) -> list[Node]:
    kept: list[Node] = []
    for child in node.children:
        if child.type in _TYPE_NODES:
            if kept and kept[-1].type in _TYPE_MARKS:
                kept.pop()
        else:
            kept.append(child)
    return kept


def _docstring_in(node: Node) -> Node | None:
    """Return the statement of a Python module or block that is its docstring; None if it has none."""
    if node.type not in ("block", "module"):
        return None
    first = next((child for child in node.children if child.is_named and child.type != "comment"), None)
    if first is None:
        return None
    inner = first.named_children if first.type == "expression_statement" else [first]
    return first if len(inner) == 1 and inner[0].type == "string" else None
