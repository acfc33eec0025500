"""Brackets and quotes in a piece of code of any language."""

from __future__ import annotations

import re
from collections.abc import Iterator

OPENERS = {")": "(", "]": "[", "}": "{"}
"""Closing bracket -> its opening bracket."""
QUOTES = {'"', "'", "`"}
TRIPLE_QUOTES = ('"""', "'''")
_STRING_OR_BRACKET = re.compile(
    r"""\\["'`]|(?P<quote>["'`])(?:\\.|(?!(?P=quote))[^\\\n])*(?:(?P=quote)|\\?\Z)|(?P<bracket>[()\[\]{}])""", re.DOTALL
)
"""A bracket, or a string on one line. At the end of the text a string may still be open. An escaped quote begins none:
otherwise each one of a line would be tried up to the line's end."""


def unmatched(text: str, closer: str) -> tuple[int, int]:
    """Return how many brackets of ``closer``'s kind ``text`` closes without opening, and opens without closing."""
    closing = opening = 0
    for _, bracket in brackets(text, closer):
        if bracket != closer:
            opening += 1
        elif opening:
            opening -= 1
        else:
            closing += 1
    return closing, opening


def has_open_bracket(text: str) -> bool:
    """Return whether ``text`` opens a bracket of any kind and does not close it."""
    return any(unmatched(text, closer)[1] for closer in OPENERS)


def brackets(text: str, closer: str) -> Iterator[tuple[int, str]]:
    """Yield the offset and the character of each bracket of ``closer``'s kind that is not within a string."""
    for found in _STRING_OR_BRACKET.finditer(text):
        if found["bracket"] in (closer, OPENERS[closer]):
            yield found.start(), found["bracket"]


def is_open(quote: str, line: str) -> bool:
    """Return whether a string in ``quote`` is still open at the end of ``line``."""
    return len(re.findall(rf"(?<!\\){quote}", line)) % 2 == 1
