"""Names that strangers chose, as a terminal and a message of one line can show them."""

from __future__ import annotations


def printable(name: str) -> str:
    """Return a name with escapes for the characters that are not printed, such as line ends and codes for terminals."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in name)
