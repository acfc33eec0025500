"""Whether a suggestion fits the grammar of its language, by tree-sitter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from midfill.code.brackets import OPENERS, is_open
from midfill.code.grammars import can_parse, parse
from midfill.code.languages import Language
from midfill.code.tree_shape import error_nodes
from midfill.common.lines import MAX_PARSED_LINE_CHARACTERS, without_long_ends
from midfill.postprocess.lines import indent
from midfill.prompt.context import Context

_MAX_SIDE_CHARACTERS = 10_000
"""Maximum number of characters that are parsed on each side of the cursor."""
_UNCHECKED_GRAMMARS = frozenset({"", "html", "css", "markdown", "sql", "bash"})
"""Grammars that accept almost any text, or that report errors in correct unfinished code."""
_PROSE = frozenset({"Text", "Markdown", "AsciiDoc", "Git commit", "Org"})
"""Languages that may have Markdown's fences."""
_TOP_LEVEL = re.compile(r"^[^\s})\]]", re.MULTILINE)


def fits(text: str, context: Context, language: Language, *, replaces: int = 0, cut_short: bool = False) -> bool:
    """Return whether ``text`` adds no syntax error to the document.

    A suggestion may be unfinished: it also fits when it would fit with its brackets closed, with one more operand, or
    with the start of its block. When the text was ``cut_short``, its last line is not checked. When the grammar finds
    errors in the document itself, or would take too long, every text fits.
    """
    if cut_short:
        text = text[: max(text.rfind("\n"), 0)]
    # "*/" may end a comment of the document, so that text after it is parsed as code.
    if language.grammar in _UNCHECKED_GRAMMARS or not text.strip() or "*/" in text:
        return language.name in _PROSE or not _begins_with_fence(text, context)
    if len(context.line_prefix) > MAX_PARSED_LINE_CHARACTERS:
        return True
    before, after = (without_long_ends(side) for side in window(context))
    if not can_parse((before + after).encode("utf-8", "replace"), language.grammar):
        return True
    if not _is_understood(before, after, language):
        return True
    is_blank = not (context.line_prefix + context.line_suffix).strip()
    max_errors = 0 if is_blank else _errors(before + after, language)
    rest = after[replaces:]
    return any(_errors(before + whole + rest, language) <= max_errors for whole in (text, *_continued(text)))


def _begins_with_fence(text: str, context: Context) -> bool:
    """Return whether the text is Markdown with code in it, instead of code."""
    return text.startswith("```") and not context.line_prefix.strip()


def _is_understood(before: str, after: str, language: Language) -> bool:
    """Return whether the document has no syntax error when the cursor's line is left out, or is a single word."""
    above, below = before[: before.rfind("\n") + 1], after[after.find("\n") :] if "\n" in after else ""
    line = before[len(above) :]
    word = line[: indent(line)] + "x"
    return any(not _errors(above + replacement + below, language) for replacement in ("", word))


@lru_cache(4)
def _errors(text: str, language: Language) -> int:
    return sum(1 for _ in error_nodes(parse(text.encode("utf-8", "replace"), language.grammar)))


def window(context: Context) -> tuple[str, str]:
    """Return both sides of the cursor: from the start of a line at the top level to the end of a line."""
    before, after = context.prefix[-_MAX_SIDE_CHARACTERS:], context.suffix[:_MAX_SIDE_CHARACTERS]
    if len(context.prefix) > _MAX_SIDE_CHARACTERS and (start := _TOP_LEVEL.search(before, before.find("\n") + 1)):
        before = before[start.start() :]
    if len(context.suffix) > _MAX_SIDE_CHARACTERS:
        after = after[: after.rfind("\n") + 1]
    return before, after


def _continued(text: str) -> Iterator[str]:
    """Yield possible continuations of a suggestion that is not finished."""
    closers = _closers(text)
    yield f"{text}\nx{closers}" if text.endswith("\\") else f"{text} x{closers}"
    if closers:
        yield text + closers
    if text.rstrip().endswith(":"):
        yield f"{text.rstrip()} pass"


def _closers(text: str) -> str:
    """Return the brackets and the quote that would close what ``text`` leaves open."""
    closing = {opener: closer for closer, opener in OPENERS.items()}
    stack: list[str] = []
    for character in text:
        if character in closing:
            stack.append(closing[character])
        elif stack and character == stack[-1]:
            stack.pop()
    last_line = text[text.rfind("\n") + 1 :]
    quote = next((quote for quote in "\"'`" if is_open(quote, last_line)), "")
    return quote + "".join(reversed(stack))
