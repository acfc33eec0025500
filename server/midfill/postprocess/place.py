"""Whether the cursor stands in a comment, in a string, or in code; by tree-sitter."""

from __future__ import annotations

from tree_sitter import Node

from midfill.code.brackets import TRIPLE_QUOTES, is_open
from midfill.code.grammars import can_parse, parse
from midfill.code.languages import Language
from midfill.code.lines import MAX_PARSED_LINE_CHARACTERS, without_long_ends
from midfill.code.tree_shape import ordinary_end
from midfill.postprocess.grammar_fit import window
from midfill.prompt.context import Context

COMMENT = "comment"
STRING = "string"
_PROSE = frozenset({"", "markdown"})
"""Grammars without comments and strings."""
_STRING_NODES = ("string", "heredoc", "char_literal", "character_literal")
"""Parts of the types of nodes that are strings."""
_CODE_NODES = ("interpolation", "substitution", "expansion")
"""Ends of the types of nodes that are code within a string."""


def place_of(context: Context, language: Language) -> str:
    """Return ``COMMENT``, ``STRING``, or "" for code and prose; it takes a few milliseconds.

    A docstring is a string. The code in the braces of an f-string is not. A string without its closing quote also
    counts as a string, although the grammar does not recognise it. Where the parser would take too long, as in a very
    long line, every place counts as code.
    """
    if language.grammar in _PROSE or len(context.line_prefix) > MAX_PARSED_LINE_CHARACTERS:
        return ""
    before, after = (without_long_ends(side) for side in window(context))
    data = before.encode("utf-8", "replace")
    cursor = len(data)
    data += after.encode("utf-8", "replace")
    if not can_parse(data, language.grammar):
        return ""
    tree = parse(data, language.grammar)
    if ordinary_end(tree) < cursor:
        return ""
    node = tree.root_node.descendant_for_byte_range(max(cursor - 1, 0), cursor)
    while node is not None:
        if place := _place(node, cursor, at_line_start=before.endswith("\n")):
            return place if place in (COMMENT, STRING) else ""
        node = node.parent
    return STRING if tree.root_node.has_error and _is_left_open(before, language) else ""


def _place(node: Node, cursor: int, *, at_line_start: bool) -> str:
    """Return the place of a cursor in ``node``; "" when the parent node has to decide."""
    if not node.start_byte < cursor <= node.end_byte:
        return ""
    within = cursor < node.end_byte
    if COMMENT in node.type:
        closed = (node.text or b"").endswith((b"*/", b"-->", b"]]"))
        return COMMENT if within or (not at_line_start and not closed) else ""
    if within and node.type.endswith(_CODE_NODES):
        return "code"
    return STRING if within and any(kind in node.type for kind in _STRING_NODES) else ""


def _is_left_open(before: str, language: Language) -> bool:
    """Return whether a string is still open before the cursor: on its line, or by triple quotes above."""
    line = before[before.rfind("\n") + 1 :]
    if language.grammar == "python" and any(before.count(quote) % 2 for quote in TRIPLE_QUOTES):
        return True
    return is_open('"', line)
