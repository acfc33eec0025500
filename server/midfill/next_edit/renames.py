"""Which names a change has replaced by others."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from midfill.code.identifiers import IDENTIFIER
from midfill.next_edit.types import Hunk

_TOKEN = re.compile(r"[^\W\d]\w*|\d+|[^\w\s]")
_PIECE = re.compile(r"\w+|\s+|.")
_MAX_COMPARED = 40_000
"""Maximum number of pairs of tokens that are compared."""


@dataclass(frozen=True)
class Rename:
    """A name, and the one that now stands in its place."""

    old: str
    new: str

    def apply(self, text: str) -> str:
        """Return ``text`` with the new name wherever the old one stands as a whole word."""
        return re.sub(rf"\b{re.escape(self.old)}\b", lambda _: self.new, text)


@lru_cache(8_192)
def tokens(text: str) -> tuple[str, ...]:
    """Return the names, numbers and signs of a text. The same lines are compared with several others."""
    return tuple(_TOKEN.findall(text))


def pieces(text: str) -> list[str]:
    """Return the words, runs of white space and signs of a text: joined, they are the text."""
    return _PIECE.findall(text)


def renames_between(old: str, new: str) -> list[Rename]:
    """Return the names that a change replaced by one other name each, in the order of the text."""
    before, after = tokens(old), tokens(new)
    if len(before) * len(after) > _MAX_COMPARED:
        return []
    found: dict[Rename, None] = {}
    for tag, first, end, start, stop in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "replace" and end - first == stop - start:
            for name, other in zip(before[first:end], after[start:stop], strict=True):
                if IDENTIFIER.fullmatch(name) and IDENTIFIER.fullmatch(other):
                    found[Rename(name, other)] = None
    return list(found)


def renames_in(history: Iterable[Hunk]) -> list[Rename]:
    """Return the renames of several changes, the latest last. One that was renamed further counts as one rename."""
    chains: dict[str, str] = {}
    for hunk in history:
        for rename in renames_between(hunk.old, hunk.new):
            first = next((old for old, new in chains.items() if new == rename.old), rename.old)
            chains.pop(first, None)
            if first != rename.new:
                chains[first] = rename.new
    return [Rename(old, new) for old, new in chains.items()]
