"""How a document is indented: with tabs or spaces, and how many."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

_INDENTED = re.compile(r"^(?:(?P<tab>\t)|(?P<spaces> {2,})(?! |\*))", re.MULTILINE)
_MIN_RATIO = 9
"""A document has one kind of indentation when more than so many times as many lines have it as have the other kind."""


def kind_of(text: str) -> str:
    r"""Return the character that the lines of ``text`` are indented with: "\t" or " "; "" for none, and for both."""
    kinds = Counter(found.lastgroup for found in _INDENTED.finditer(text))
    if kinds["tab"] > _MIN_RATIO * kinds["spaces"]:
        return "\t"
    return " " if kinds["spaces"] > _MIN_RATIO * kinds["tab"] else ""


def spaces_a_level(text: str) -> int:
    """Return by how many spaces the lines of ``text`` most often are indented more than the line before; 4 if never."""
    widths = [len(found[0]) for found in re.finditer(r"^ *(?=[^ \n])", text, re.MULTILINE)]
    steps = Counter(after - before for before, after in pairwise(widths) if after > before + 1)
    return steps.most_common(1)[0][0] if steps else 4
