"""Makes the change that was made to one line to another line of the same shape."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from rapidfuzz.distance import Indel

from midfill.next_edit.renames import tokens

MIN_SIMILARITY = 0.7
"""Minimum similarity of two lines of the same shape, 0 to 1."""
MIN_TOKENS = 4
"""Minimum number of tokens of a line that has a shape of its own."""
_MAX_LINE = 400
"""Maximum number of characters of a line that is compared."""
_PIECE = re.compile(r"\w+|\s+|.", re.DOTALL)


def is_like(line: str, old: str, new: str) -> bool:
    """Return whether a line has the shape of ``old``, and not that of ``new``, which ``old`` became."""
    if max(map(len, (line, old, new))) > _MAX_LINE:
        return False
    own, before = tokens(line), tokens(old)
    if len(before) < MIN_TOKENS:
        return False
    similarity = Indel.normalized_similarity(own, before, score_cutoff=MIN_SIMILARITY)
    return bool(similarity) and similarity > Indel.normalized_similarity(own, tokens(new))


def transferred(line: str, old: str, new: str) -> str | None:
    """Return ``line`` with the change from ``old`` to ``new`` made to it; None if it does not fit there.

    What the change removes must stand in the line too, at the place that answers to it.
    """
    own, before, after = (_PIECE.findall(text) for text in (line, old, new))
    place = _places(before, own)
    changed: list[str] = []
    at = 0
    for tag, first, end, start, stop in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        begin, close = place.get(first), place.get(end)
        if begin is None or close is None or own[begin:close] != before[first:end]:
            return None
        changed += [*own[at:begin], *after[start:stop]]
        at = close
    return "".join((*changed, *own[at:]))


def _places(before: Sequence[str], own: Sequence[str]) -> dict[int, int]:
    """Return where each boundary between pieces of one line is in another one, if there is such a place."""
    found = {0: 0, len(before): len(own)}
    for tag, first, end, start, stop in SequenceMatcher(None, before, own, autojunk=False).get_opcodes():
        if tag == "equal" or (tag == "replace" and end - first == stop - start):
            found.update(zip(range(first, end + 1), range(start, stop + 1), strict=True))
        else:
            found.update({first: start, end: stop})
    return found
