"""What the cursor stands in, by tree-sitter: a comment, a string, or code."""

from __future__ import annotations

from typing import cast

from tree_sitter import Node, Parser
from tree_sitter_language_pack import SupportedLanguage, get_language

from midfill.code.brackets import TRIPLE_QUOTES, is_open
from midfill.code.languages import Language
from midfill.postprocess.syntax import window
from midfill.prompt.context import Context

COMMENT = "comment"
STRING = "string"
_PROSE = frozenset({"", "markdown"})
"""Grammars of texts that are neither comment nor string."""
_STRINGS = ("string", "heredoc", "char_literal", "character_literal")
_CODE_WITHIN = ("interpolation", "substitution", "expansion")
"""Parts of a string that are code."""


def place_of(context: Context, language: Language) -> str:
    """Return ``COMMENT``, ``STRING``, or "" for code and for prose; it takes a few milliseconds.

    A docstring is a string, what stands in the braces of an f-string is not. A string that nobody has closed yet is
    one, too, though a grammar does not see it.
    """
    if language.grammar in _PROSE:
        return ""
    before, after = window(context)
    # Not through a callback: py-tree-sitter 0.26 never lets go of one, nor of the text it refers to.
    data = before.encode("utf-8", "replace")
    tree = Parser(get_language(cast("SupportedLanguage", language.grammar))).parse(
        data + after.encode("utf-8", "replace")
    )
    cursor = len(data)
    node = tree.root_node.descendant_for_byte_range(max(cursor - 1, 0), cursor)
    while node is not None:
        if place := _place(node, cursor, at_line_start=before.endswith("\n")):
            return place if place in (COMMENT, STRING) else ""
        node = node.parent
    return STRING if tree.root_node.has_error and _is_left_open(before, language) else ""


def _place(node: Node, cursor: int, *, at_line_start: bool) -> str:
    """Return what ``node`` makes of a cursor in it, "" if it decides nothing."""
    if not node.start_byte < cursor <= node.end_byte:
        return ""
    within = cursor < node.end_byte
    if COMMENT in node.type:
        closed = (node.text or b"").endswith((b"*/", b"-->", b"]]"))
        return COMMENT if within or (not at_line_start and not closed) else ""
    if within and node.type.endswith(_CODE_WITHIN):
        return "code"
    return STRING if within and any(kind in node.type for kind in _STRINGS) else ""


def _is_left_open(before: str, language: Language) -> bool:
    """Whether a string has been opened before the cursor, on its line or by three quotes above."""
    line = before[before.rfind("\n") + 1 :]
    if language.grammar == "python" and any(before.count(quote) % 2 for quote in TRIPLE_QUOTES):
        return True
    return is_open('"', line)
