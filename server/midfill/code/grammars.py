"""Tree-sitter's grammars and parser."""

from __future__ import annotations

from typing import cast

from tree_sitter import Language, Parser, Tree
from tree_sitter_language_pack import SupportedLanguage, get_language


def load_grammar(name: str) -> Language:
    """Return the grammar that :attr:`midfill.code.languages.Language.grammar` names."""
    return get_language(cast("SupportedLanguage", name))


def parse(data: bytes, grammar: str) -> Tree:
    """Return the syntax tree of a UTF-8 text."""
    # Not through a callback: py-tree-sitter 0.26 never frees a callback or the text that it refers to.
    return Parser(load_grammar(grammar)).parse(data)
