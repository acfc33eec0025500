"""Mends: they adapt a suggestion to the document that it is inserted into."""

from __future__ import annotations

import re

from midfill.code.brackets import OPENERS, unmatched
from midfill.code.identifiers import IDENTIFIER
from midfill.code.languages import PLAIN_TEXT, Language
from midfill.postprocess.closers import closes_own
from midfill.postprocess.grammar_fit import fits
from midfill.postprocess.indentation_style import kind_of, spaces_a_level
from midfill.postprocess.literal_text import LiteralText
from midfill.prompt.context import Context

_LEADING = re.compile(r"(?:(?<=\n)|\A)[ \t]+(?=[^ \t\n])")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n){2,}")
_TOKEN = re.compile(r"\w+|\s+|.")
_WORD = re.compile(r"\w+")
_LAST_WORD = re.compile(r"\b\w+\Z")
_MAX_COMPARED_CHARACTERS = 500
"""Maximum number of characters of two ends of a line that are compared token by token."""
_LINE_ENDINGS = frozenset(")]};:")
"""Last characters of a line by which the ends of two lines may be matched. A comma is too common to match by."""


def indentation_of(context: Context) -> str:
    r"""Return the document's indentation of one level: "\t" or spaces; "" when it has none or mixes both."""
    text = f"{context.prefix}|{context.suffix}"
    here = context.line_prefix[: len(context.line_prefix) - len(context.line_prefix.lstrip())]
    kind = kind_of(text)
    if not kind or not set(here) <= {kind}:
        return ""
    return kind if kind == "\t" else " " * spaces_a_level(text)


def keep_indentation(text: str, context: Context, unit: str, language: Language = PLAIN_TEXT) -> str:
    """Indent the text with ``unit``, which :func:`indentation_of` found; "" leaves the text unchanged.

    White space that means something is left as it is: in strings, and in languages where white space is text.
    """
    if not unit or ("\t" if unit != "\t" else "  ") not in text or language.keeps_white_space:
        return text
    spaces = _spaces_suggested(text, context) if unit == "\t" else 0
    literal = LiteralText(text, context, language)

    def kept(found: re.Match[str]) -> str:
        leading = found[0]
        if found.start() == 0 and context.line_prefix.strip():  # this text continues the cursor's line
            return leading
        if literal.includes(found.start()):
            return leading
        if unit != "\t":
            return leading.replace("\t", unit)
        return leading if "\t" in leading else "\t" * (len(leading) // spaces) + " " * (len(leading) % spaces)

    return _LEADING.sub(kept, text)


def keep_blank_lines(text: str, context: Context, language: Language = PLAIN_TEXT) -> str:
    """Reduce several blank lines in a row to one; to two before column 0 in a document that has two somewhere.

    Blank lines that mean something are kept: in strings, and in languages where white space is text.
    """
    if language.keeps_white_space or not _BLANK_LINES.search(text):
        return text
    has_two = "\n\n\n" in context.prefix or "\n\n\n" in context.suffix
    literal = LiteralText(text, context, language)

    def kept(found: re.Match[str]) -> str:
        if literal.includes(found.start()):
            return found[0]
        at_column_0 = not text[found.end() : found.end() + 1].isspace()
        return "\n" * min(found[0].count("\n"), 3 if has_two and at_column_0 else 2)

    return _BLANK_LINES.sub(kept, text)


def merge_with_rest(text: str, context: Context, language: Language) -> tuple[str, int]:
    """Decide which characters right of the cursor a suggestion of one line replaces.

    It replaces the rest of the word under the cursor when it starts with it. When its end equals the end of the line,
    it replaces what stands before that common end. When it does not fit the grammar otherwise, it replaces the next
    word or the next expression.

    Returns:
        The text to insert, and the number of characters right of the cursor that it replaces.
    """
    rest = context.line_suffix.rstrip()
    if "\n" in text or not context.wants_one_line:
        return text, 0
    word = _WORD.match(rest)
    if word and _LAST_WORD.search(context.line_prefix):
        return text, len(word[0]) if text.startswith(word[0]) else 0
    if common := _common_end(text, rest):
        return text[: len(text) - common], len(rest) - common
    if not word or (not _runs_together(text, word[0], context) and fits(text, context, language)):
        return text, 0
    expression = rest.rstrip("".join(_LINE_ENDINGS) + ", ")
    lengths = (len(word[0]), len(expression))
    return text, next((length for length in lengths if fits(text, context, language, replaces=length)), 0)


def _spaces_suggested(text: str, context: Context) -> int:
    """Return the number of spaces of one level in a suggestion for a document that has tabs."""
    depth = context.line_prefix.count("\t")
    lengths = [len(found[0]) for found in _LEADING.finditer(text) if found.start()]
    for width in (4, 2, 8):
        if lengths and lengths[0] in (depth * width, (depth + 1) * width) and not any(n % width for n in lengths):
            return width
    return 4


def _common_end(text: str, rest: str) -> int:
    """Return the length of the common end of both texts, in whole words and signs; 0 when they do not match there."""
    if max(len(text), len(rest)) > _MAX_COMPARED_CHARACTERS:
        return 0
    common = length = 0
    for text_token, rest_token in zip(_TOKEN.findall(text)[::-1], _TOKEN.findall(rest)[::-1], strict=False):
        if text_token != rest_token:
            break
        length += len(text_token)
        if not closes_own(text, length) and _balance(text[:-length]) == _balance(rest[:-length]):
            common = length
    return common if common < len(rest) and rest[-1] in _LINE_ENDINGS else 0


def _balance(text: str) -> list[tuple[int, int]]:
    """Return, for each kind of bracket, how many ``text`` closes without opening and opens without closing."""
    return [unmatched(text, closer) for closer in OPENERS]


def _runs_together(text: str, word: str, context: Context) -> bool:
    """Return whether ``text`` and ``word`` would join two known words into one that the document does not have."""
    last = _LAST_WORD.search(text)
    if last is None:
        return False
    known = {*IDENTIFIER.findall(context.prefix), *IDENTIFIER.findall(context.suffix)}
    return last[0] + word not in known and (last[0] in known or last[0].isdigit())
