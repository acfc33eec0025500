"""Mends: they make a suggestion fit the document that it is put into."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

from midfill.code.brackets import OPENERS, unmatched
from midfill.code.identifiers import IDENTIFIER
from midfill.code.languages import Language
from midfill.postprocess.syntax import fits
from midfill.postprocess.trims import closes_own
from midfill.prompt.context import Context

_INDENTED = re.compile(r"^(?:(?P<tab>\t)|(?P<spaces> {2,})(?! |\*))", re.MULTILINE)
_LEADING = re.compile(r"(?:(?<=\n)|\A)[ \t]+(?=[^ \t\n])")
_MOSTLY = 9
"""A document is indented one way if so many times as many lines are as the other way."""
_TOKEN = re.compile(r"\w+|\s+|.")
_WORD = re.compile(r"\w+")
_LAST_WORD = re.compile(r"\w+\Z")
_ENDINGS = frozenset(")]};:")
"""What a line ends in when it says the same as another that ends so; a comma also stands between things inserted."""


def indentation_of(context: Context) -> str:
    r"""Return what the document indents a level with: "\t" or some spaces, "" if it has none or mixes them."""
    text = f"{context.prefix}|{context.suffix}"
    kinds = Counter(found.lastgroup for found in _INDENTED.finditer(text))
    here = context.line_prefix[: len(context.line_prefix) - len(context.line_prefix.lstrip())]
    if kinds["tab"] > _MOSTLY * kinds["spaces"] and " " not in here:
        return "\t"
    if kinds["spaces"] > _MOSTLY * kinds["tab"] and "\t" not in here:
        return " " * _spaces_a_level(text)
    return ""


def keep_indentation(text: str, context: Context, unit: str) -> str:
    """Indent as the document does, which :func:`indentation_of` found: by tabs or by spaces."""
    if not unit or ("\t" if unit != "\t" else "  ") not in text:
        return text
    spaces = _spaces_suggested(text, context) if unit == "\t" else 0

    def kept(found: re.Match[str]) -> str:
        leading = found[0]
        if found.start() == 0 and context.line_prefix.strip():  # it continues the cursor's line
            return leading
        if unit != "\t":
            return leading.replace("\t", unit)
        return leading if "\t" in leading else "\t" * (len(leading) // spaces) + " " * (len(leading) % spaces)

    return _LEADING.sub(kept, text)


def keep_blank_lines(text: str, context: Context) -> str:
    """Leave one blank line of several in a row; two at column 0 in a document that has two somewhere."""
    has_two = "\n\n\n" in context.prefix or "\n\n\n" in context.suffix

    def kept(found: re.Match[str]) -> str:
        at_column_0 = not text[found.end() : found.end() + 1].isspace()
        return "\n" * min(found[0].count("\n"), 3 if has_two and at_column_0 else 2)

    return re.sub(r"\n(?:[ \t]*\n){2,}", kept, text)


def merge_with_rest(text: str, context: Context, language: Language) -> tuple[str, int]:
    """Say which characters right of the cursor a suggestion of one line takes the place of, and what it puts there.

    It takes the place of the rest of the word it writes anew, of what stands before the end that it has in common
    with the line, and of the word or the expression with which it would fit the grammar if it does not otherwise.

    Returns:
        The text to insert, and how many characters of the line's rest it replaces.
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
    expression = rest.rstrip("".join(_ENDINGS) + ", ")
    lengths = (len(word[0]), len(expression))
    return text, next((length for length in lengths if fits(text, context, language, replaces=length)), 0)


def _spaces_a_level(text: str) -> int:
    widths = [len(found[0]) for found in re.finditer(r"^ *(?=[^ \n])", text, re.MULTILINE)]
    steps = Counter(after - before for before, after in pairwise(widths) if after > before + 1)
    return steps.most_common(1)[0][0] if steps else 4


def _spaces_suggested(text: str, context: Context) -> int:
    """Return how many spaces a level has in a suggestion for a document that has tabs."""
    depth = context.line_prefix.count("\t")
    lengths = [len(found[0]) for found in _LEADING.finditer(text) if found.start()]
    for width in (4, 2, 8):
        if lengths and lengths[0] in (depth * width, (depth + 1) * width) and not any(n % width for n in lengths):
            return width
    return 4


def _common_end(text: str, rest: str) -> int:
    """Return how many characters both end with, as whole words and signs; 0 if they do not say the same there."""
    common = length = 0
    for ours, theirs in zip(_TOKEN.findall(text)[::-1], _TOKEN.findall(rest)[::-1], strict=False):
        if ours != theirs:
            break
        length += len(ours)
        if not closes_own(text, length) and _balance(text[:-length]) == _balance(rest[:-length]):
            common = length
    return common if common < len(rest) and rest[-1] in _ENDINGS else 0


def _balance(text: str) -> list[tuple[int, int]]:
    """Return how many brackets of each kind ``text`` closes and opens only."""
    return [unmatched(text, closer) for closer in OPENERS]


def _runs_together(text: str, word: str, context: Context) -> bool:
    """Whether the end of ``text`` and ``word`` would be one word that the document does not know, and apart are two."""
    last = _LAST_WORD.search(text)
    if last is None:
        return False
    known = {*IDENTIFIER.findall(context.prefix), *IDENTIFIER.findall(context.suffix)}
    return last[0] + word not in known and (last[0] in known or last[0].isdigit())
