"""Reads the string literal at a place of a text, in the syntax of any language, with the literals joined to it."""

from __future__ import annotations

import re
from collections.abc import Sequence

_MAX_LITERALS = 20
"""Maximum number of literals of one value."""
_OPENING = re.compile(r"(?:[A-Za-z@$]{0,3}|r#{1,3})(?P<escape>\\{0,3})(?P<quote>\"\"\"|'''|[\"'`]|\[\[)")
_BODIES = {
    '"': re.compile(r'(?:[^"\\\n]|\\.|\\\n){0,20000}'),
    "'": re.compile(r"(?:[^'\\\n]|\\.|\\\n|''){0,20000}"),
    "`": re.compile(r"(?:[^`\\]|\\.|\\\n){0,20000}"),
    '"""': re.compile(r'(?:[^"\\]|\\.|\\\n|"(?!"")){0,20000}'),
    "'''": re.compile(r"(?:[^'\\]|\\.|\\\n|'(?!'')){0,20000}"),
    "[[": re.compile(r"(?:[^\]\n]|\](?!\])){0,20000}"),
    "escaped": re.compile(r"[^\\\"'`\n]{0,20000}"),
}
"""What may stand between the quotes. A value without a closing quote ends with its line: somebody is typing it."""
_OPERATOR = re.compile(r"\s{0,80}(?:\+|\.\.?|&|<>|\|\|)\s{0,80}")
"""What joins two literals."""
_COMMA = re.compile(r"\s{0,80},\s{0,80}")
_NEXT_LINE = re.compile(r"[ \t]{0,80}\\?\r?\n[ \t]{0,80}(?=[A-Za-z@$]{0,3}(?:\"(?!\"\")|'(?!'')))")
"""What joins two literals in parentheses, in some languages."""
_ENDS_PART = re.compile(r"[ \t]{0,80}(?:[)\]},;\\]|\r?\n|\Z)")
"""What follows the second of them. A literal before a colon, for example, is a key of its own."""


def literals_at(text: str, start: int, *, listed: bool = False) -> list[tuple[int, int]]:
    """Return the start and the end of each literal of the string at ``start``, without quotes; [] if there is none.

    ``listed`` says that a comma joins literals, too.
    """
    literals: list[tuple[int, int]] = []
    is_next_line = False
    while len(literals) < _MAX_LITERALS and (opening := _OPENING.match(text, start)):
        body = _BODIES["escaped" if opening["escape"] else opening["quote"]].match(text, opening.end())
        end = body.end() if body else opening.end()
        closing = end + len(opening["escape"]) + len(opening["quote"])
        if is_next_line and not _ENDS_PART.match(text, closing):
            break
        literals.append((opening.end(), end))
        joint = (_COMMA if listed else _OPERATOR).match(text, closing) or _NEXT_LINE.match(text, closing)
        if not joint:
            break
        start = joint.end()
        is_next_line = joint.re is _NEXT_LINE
    return literals


def joined(text: str, literals: Sequence[tuple[int, int]]) -> str:
    """Return the value of a string that consists of these literals, without line ends and the blanks around them."""
    value = "".join(text[start:end] for start, end in literals)
    return "".join(line.strip(" \t\r\\") for line in value.split("\n")) if "\n" in value else value
