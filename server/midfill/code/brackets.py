"""Brackets and quotes in a piece of code, read without knowing its language."""

from __future__ import annotations

import re
from collections.abc import Iterator

OPENERS = {")": "(", "]": "[", "}": "{"}
QUOTES = {'"', "'", "`"}
TRIPLE_QUOTES = ('"""', "'''")
_STRING_OR_BRACKET = re.compile(
    r"""(?P<quote>["'`])(?:\\.|(?!(?P=quote))[^\\\n])*(?:(?P=quote)|\\?\Z)|(?P<bracket>[()\[\]{}])""", re.DOTALL
)
"""A bracket, or a string on one line; one that is still open at the text's very end may be closed by what comes."""


def unmatched(text: str, closer: str) -> tuple[int, int]:
    """Count the closing brackets of ``closer``'s kind that ``text`` did not open, and those it opens only."""
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
    """Whether ``text`` opens a bracket of any kind that it does not close."""
    return any(unmatched(text, closer)[1] for closer in OPENERS)


def brackets(text: str, closer: str) -> Iterator[tuple[int, str]]:
    """Find the brackets of ``closer``'s kind that are not within a string, and their places."""
    for found in _STRING_OR_BRACKET.finditer(text):
        if found["bracket"] in (closer, OPENERS[closer]):
            yield found.start(), found["bracket"]


def is_open(quote: str, line: str) -> bool:
    """Whether a string in ``quote`` is still open at the end of ``line``."""
    return len(re.findall(rf"(?<!\\){quote}", line)) % 2 == 1
