"""A part of a line that a change has replaced, with what stands beside it: the same part of other lines can be, too."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from midfill.next_edit.renames import pieces

_NAME = re.compile(r"[^\W\d]\w+")
_MAX_LINE = 400
"""Maximum number of characters of a line that is compared."""


@dataclass(frozen=True)
class Rewrite:
    """A part of a line, with the word or sign on either side of it, and what stands there now."""

    old: str
    new: str

    def apply(self, line: str) -> str:
        """Return ``line`` with each such part replaced. A part that begins or ends within a word is left as it is."""
        start, end = (r"\b" if re.match(r"\w", edge) else "" for edge in (self.old[0], self.old[-1]))
        return re.sub(f"{start}{re.escape(self.old)}{end}", lambda _: self.new, line)


def rewrite_between(old: str, new: str) -> Rewrite | None:
    """Return what a change of one line has replaced; None if that has no name: signs stand everywhere."""
    if max(len(old), len(new)) > _MAX_LINE:
        return None
    before, after = pieces(old), pieces(new)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    parts = [part for part in matcher.get_opcodes() if part[0] != "equal"]
    if not parts:
        return None
    first, end, start, stop = parts[0][1], parts[-1][2], parts[0][3], parts[-1][4]
    if not any(map(_NAME.fullmatch, before[first:end])):
        return None
    left, right = _beside(before[:first][::-1]), _beside(before[end:])
    return Rewrite("".join(before[first - left : end + right]), "".join(after[start - left : stop + right]))


def _beside(parts: Sequence[str]) -> int:
    """Return the number of first pieces up to the first one that is no white space."""
    return next((number for number, piece in enumerate(parts, start=1) if not piece.isspace()), 0)
