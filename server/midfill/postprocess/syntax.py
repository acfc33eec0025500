"""Whether a suggestion fits the grammar of its language, by tree-sitter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from midfill.code.brackets import OPENERS, is_open
from midfill.code.languages import Language
from midfill.code.syntax import Syntax
from midfill.postprocess.lines import indent
from midfill.prompt.context import Context

_SIDE = 10_000
"""Characters parsed on each side of the cursor."""
_NOT_JUDGED = frozenset({"", "html", "css", "markdown", "sql", "bash"})
"""Whatever stands there fits somehow, or what is half written fits nowhere."""
_TOP_LEVEL = re.compile(r"^[^\s})\]]", re.MULTILINE)


def fits(text: str, context: Context, language: Language, *, replaces: int = 0, cut_short: bool = False) -> bool:
    """Whether the document has no more places that do not fit its grammar with ``text`` than without.

    What somebody would go on to write does not count: a suggestion also fits if it does so with its brackets closed,
    with another operand or with its block begun. Where it is ``cut_short``, its last line is not judged.
    Where the grammar does not understand the document itself, everything fits.
    """
    if cut_short:
        text = text[: max(text.rfind("\n"), 0)]
    if language.grammar in _NOT_JUDGED or not text.strip() or "*/" in text:  # what a comment hid comes to light
        return True
    before, after = window(context)
    if not _is_understood(before, after, language):
        return True
    is_blank = not (context.line_prefix + context.line_suffix).strip()
    most = 0 if is_blank else _errors(before + after, language)
    rest = after[replaces:]
    return any(_errors(before + whole + rest, language) <= most for whole in (text, *_gone_on(text)))


def _is_understood(before: str, after: str, language: Language) -> bool:
    """Whether the grammar finds nothing wrong but on the cursor's line, left out or with a word on it."""
    above, below = before[: before.rfind("\n") + 1], after[after.find("\n") :] if "\n" in after else ""
    line = before[len(above) :]
    word = line[: indent(line)] + "x"
    return any(not _errors(above + instead + below, language) for instead in ("", word))


@lru_cache(4)
def _errors(text: str, language: Language) -> int:
    return Syntax(text, language).errors()


def window(context: Context) -> tuple[str, str]:
    """Return both sides of the cursor, from where something begins that can be parsed alone, to the end of a line."""
    before, after = context.prefix[-_SIDE:], context.suffix[:_SIDE]
    if len(context.prefix) > _SIDE and (start := _TOP_LEVEL.search(before, before.find("\n") + 1)):
        before = before[start.start() :]
    if len(context.suffix) > _SIDE:
        after = after[: after.rfind("\n") + 1]
    return before, after


def _gone_on(text: str) -> Iterator[str]:
    """Yield how a suggestion might go on where it ended too soon."""
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
