"""Texts that nobody writes, and that a walk or a pattern can take very long for."""

from __future__ import annotations

UNITS = {
    "word": "a",
    "digits": "1",
    "underscores": "_",
    "spaces": " ",
    "tabs": "\t",
    "brackets": "(",
    "braces": "{",
    "quotes": '"',
    "escaped quotes": "\\'",
    "triple quotes": '"""\n',
    "calls": "f(",
    "members": "a.",
    "minuses": "-",
    "commas": ",",
    "lines of brackets": "[" * 3_999 + "\n",
    "short lines": "a\n",
    "blank lines": "\n",
    "words": "the quick brown fox ",
    "functions": "function f(){",
}
"""What each text repeats."""


def hostile(name: str, characters: int) -> str:
    """Make a text of about so many characters."""
    unit = UNITS[name]
    return unit * (characters // len(unit))
