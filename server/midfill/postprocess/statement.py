"""The end of the statement that somebody is typing, read without knowing the language."""

from __future__ import annotations

import re

from midfill.code.brackets import OPENERS, QUOTES, TRIPLE_QUOTES, has_open_bracket
from midfill.postprocess.lines import indent
from midfill.postprocess.place import COMMENT, STRING
from midfill.prompt.context import Context

_UNFINISHED = (":", "{", "(", "[", ",", "\\", "=", "+", "-", "*", "%", "&", "|", "=>", "->")
"""A line that ends so goes on below."""
_UNFINISHED_WORD = re.compile(r"\b(?:and|or|not|do|then|else|begin)\s*\Z")
_COMMENT = re.compile(r"\s*(?:#|//|--)")
_FIRST_WORD = re.compile(r"(?P<indent>[ \t]*)(?P<word>\w+(?=\W)|[^\w\s])")
"""A line's first word, once it is known where that ends."""
_CONTINUATIONS = {
    *OPENERS, ".", "else", "elif", "elsif", "elseif", "except", "finally", "catch", "rescue", "ensure", "case", "when",
    "default", "then", "do", "done", "end", "fi", "esac",
}  # fmt: skip
"""What a line begins with that belongs to the statement above, though it is indented no deeper."""


def stop_at_statement(text: str, context: Context, place: str = "") -> int | None:
    """End with the statement that the cursor's line is part of: with its block, if it has one, else with its line.

    For somebody who is typing on that line. What comes after is another thought, and waiting for it would take longer
    than the next keystroke. On an empty line nothing has begun, and this stop never applies. In a comment or a string,
    as :func:`midfill.postprocess.place.place_of` says, a line is a line, whatever it ends in.
    """
    if not context.line_prefix.strip():
        return None
    end = text.find("\n")
    if end < 0:
        return None
    line = context.line_prefix + text[:end]
    is_prose = place == COMMENT or (place == STRING and QUOTES.isdisjoint(text[:end]))
    if is_prose or not (_goes_on(line) or _opens_string(line, place)):
        return end
    floor = indent(context.line_prefix)
    while end >= 0:
        begun = _FIRST_WORD.match(text, end + 1)
        is_new = begun and len(begun["indent"]) <= floor and begun["word"] not in _CONTINUATIONS
        if is_new and not _opens_string(context.line_prefix + text[:end], place):
            return end
        end = text.find("\n", end + 1)
    return None


def _opens_string(text: str, place: str) -> bool:
    """Whether ``text``, which begins outside any string, ends in one of several lines."""
    return place != STRING and any(text.count(quote) % 2 for quote in TRIPLE_QUOTES)


def _goes_on(line: str) -> bool:
    """Whether the statement on ``line`` goes on below it."""
    if _COMMENT.match(line):
        return False
    end = line.rstrip()
    return end.endswith(_UNFINISHED) or bool(_UNFINISHED_WORD.search(end)) or has_open_bracket(line)
