"""Tree-sitter's grammars and parser."""

from __future__ import annotations

import re
import threading
import time
from functools import lru_cache
from typing import cast

from tree_sitter import Language, Parser, Tree
from tree_sitter_language_pack import SupportedLanguage, get_language

_MAX_SECONDS, _MAX_SECONDS_PER_BYTE = 0.25, 4e-6
"""Processor time that a parse may take. Code takes 0.2 to 0.7 millionths of a second for each byte. Text that is not in
the language may take a time that grows with the square of its length, because the parser tries to repair it."""
_REHEARSED_BYTES = 2_000
"""A shorter text is parsed in any case."""
_CHUNK_BYTES = 1 << 16
_DEEP_MARKDOWN = re.compile(rb"^[ >*+\-0-9.)]{200}", re.MULTILINE)
"""The start of a line that may open 200 blocks, one in another. From some 250 on, the grammar ends the process."""
_MAX_KOTLIN_TEMPLATES = 500
"""Maximum number of templates in strings. From some 1,000 on, one in another, the grammar ends the process."""


class _Chunk(threading.local):
    """What a rehearsed parse reads next. py-tree-sitter 0.26 never frees what a callback returns: so it is reused."""

    def __init__(self) -> None:
        self.data = bytearray()


_chunk = _Chunk()


def load_grammar(name: str) -> Language:
    """Return the grammar that :attr:`midfill.code.languages.Language.grammar` names."""
    return get_language(cast("SupportedLanguage", name))


def parse(data: bytes, grammar: str) -> Tree:
    """Return the syntax tree of a UTF-8 text; :func:`can_parse` says whether that takes a bounded time."""
    # Not through a callback: with py-tree-sitter 0.26, the nodes of such a tree have no texts.
    return Parser(load_grammar(grammar)).parse(data)


@lru_cache(8)
def can_parse(data: bytes, grammar: str) -> bool:
    """Return whether :func:`parse` takes a bounded time for a text: the parse is rehearsed, and ended when it is slow.

    A text that differs by a suggestion takes about as long, so it need not be rehearsed again.
    """
    if _may_crash(data, grammar):
        return False
    if len(data) <= _REHEARSED_BYTES:
        return True

    def read(offset: int, _: object) -> bytearray:
        _chunk.data[:] = data[offset : offset + _CHUNK_BYTES]
        return _chunk.data

    latest = time.thread_time() + _MAX_SECONDS + len(data) * _MAX_SECONDS_PER_BYTE
    try:
        Parser(load_grammar(grammar)).parse(read, progress_callback=lambda *_: time.thread_time() > latest)
    except ValueError:  # the callback has ended the parse
        return False
    return True


def _may_crash(data: bytes, grammar: str) -> bool:
    if grammar == "markdown":
        return _DEEP_MARKDOWN.search(data.expandtabs(4)) is not None
    return grammar == "kotlin" and data.count(b"${") > _MAX_KOTLIN_TEMPLATES
