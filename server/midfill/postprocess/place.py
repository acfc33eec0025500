"""Whether the cursor stands in a comment, in a string, or in code: by tree-sitter, or by the language's marks."""

from __future__ import annotations

from tree_sitter import Node, Tree

from midfill.code.brackets import TRIPLE_QUOTES, is_open
from midfill.code.comments_and_strings import enclosures_of
from midfill.code.embedded import embedded_at
from midfill.code.enclosures import COMMENT, END_OF_LINE, STRING, place_at_end
from midfill.code.grammars import can_parse, parse
from midfill.code.languages import Language
from midfill.code.tree_shape import ordinary_end
from midfill.common.lines import MAX_PARSED_LINE_CHARACTERS, without_long_ends
from midfill.postprocess.grammar_fit import window
from midfill.prompt.context import Context

_BY_MARKS = frozenset({"", "html", "markdown"})
"""Grammars that tell no more about comments and strings than their marks do."""
_STRING_NODES = ("string", "heredoc", "char_literal", "character_literal")
"""Parts of the types of nodes that are strings."""
_CODE_NODES = ("interpolation", "substitution", "expansion")
"""Ends of the types of nodes that are code within a string."""


def place_of(context: Context, language: Language) -> str:
    """Return ``COMMENT``, ``STRING``, or "" for code and prose; it takes a few milliseconds.

    A docstring is a string. The code in the braces of an f-string is not. A comment or a string without its end also
    counts, although the grammar does not recognise it. Where there is no grammar, or the parser would take too long, as
    in a very long line, the language's marks decide.
    """
    before, after, language = embedded_at(*window(context), language)
    if len(context.line_prefix) <= MAX_PARSED_LINE_CHARACTERS and language.grammar not in _BY_MARKS:
        text, rest = without_long_ends(before), without_long_ends(after)
        cursor = len(text.encode("utf-8", "replace"))
        data = (text + rest).encode("utf-8", "replace")
        if can_parse(data, language.grammar) and ordinary_end(tree := parse(data, language.grammar)) >= cursor:
            return _place_in(tree, cursor, text, language)
    return place_at_end(before, enclosures_of(language)).kind


def _place_in(tree: Tree, cursor: int, before: str, language: Language) -> str:
    node = tree.root_node.descendant_for_byte_range(max(cursor - 1, 0), cursor)
    while node is not None:
        if place := _place(node, cursor, at_line_start=before.endswith("\n")):
            return place if place in (COMMENT, STRING) else ""
        node = node.parent
    return _left_open(before, language) if tree.root_node.has_error else ""


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


def _left_open(before: str, language: Language) -> str:
    """Return what is still open before the cursor: a comment, a string on its line, or triple quotes above."""
    enclosure = place_at_end(before, enclosures_of(language)).enclosure
    if enclosure is not None and enclosure.kind == COMMENT and enclosure.closing != END_OF_LINE:
        return COMMENT
    if language.grammar == "python" and any(before.count(quote) % 2 for quote in TRIPLE_QUOTES):
        return STRING
    return STRING if is_open('"', before[before.rfind("\n") + 1 :]) else ""
