"""Makes the change that was made to some lines to other lines of the same shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher

from rapidfuzz.distance import Indel

from midfill.next_edit.renames import pieces, tokens

MIN_SIMILARITY = 0.7
"""Minimum similarity of two texts of the same shape, 0 to 1."""
MIN_TOKENS = 4
"""Minimum number of tokens of a text that has a shape of its own."""
_MAX_CHARACTERS = 800
"""Maximum number of characters of a text that is compared."""
_MAX_COMPARED = 40_000
"""Maximum number of pairs of pieces of two texts that are compared."""


def is_like(text: str, old: str, new: str) -> bool:
    """Return whether a text has the shape of ``old``, and not that of ``new``, which ``old`` became."""
    if max(map(len, (text, old, new))) > _MAX_CHARACTERS:
        return False
    similarity = similarity_of(text, old)
    return bool(similarity) and similarity > Indel.normalized_similarity(tokens(text), tokens(new))


def similarity_of(text: str, other: str) -> float:
    """Return how similar two texts of one shape are, from ``MIN_SIMILARITY`` to 1; 0 if their shapes differ."""
    if len(tokens(other)) < MIN_TOKENS:
        return 0.0
    return float(Indel.normalized_similarity(tokens(text), tokens(other), score_cutoff=MIN_SIMILARITY))


def transferred(text: str, old: str, new: str) -> str | None:
    """Return ``text`` with the change from ``old`` to ``new`` made to it; None if it does not fit there.

    What the change removes must stand in the text too, at the place that answers to it. Some of its words may be others
    there, but not all. They are then others in what is written, too.
    """
    own, before, after = map(pieces, (text, old, new))
    if len(before) * max(len(own), len(after)) > _MAX_COMPARED:
        return None
    place = _places(before, own)
    words = _words(before, own, place)
    if words is None:
        return None
    changed: list[str] = []
    removed: set[str] = set()
    at = 0
    for tag, first, end, start, stop in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        begin, close = place.get(first), place.get(end)
        answering = [words.get(piece, piece) for piece in before[first:end]]
        if begin is None or close is None or own[begin:close] != answering:
            return None
        removed.update(filter(_is_word, before[first:end]))
        changed += [*own[at:begin], *(words.get(piece, piece) for piece in after[start:stop])]
        at = close
    if removed and all(words[word] != word for word in removed):
        return None
    return "".join((*changed, *own[at:]))


def _places(before: Sequence[str], own: Sequence[str]) -> dict[int, int]:
    """Return where each boundary between pieces of one text is in another one, if there is such a place."""
    found = {0: 0, len(before): len(own)}
    for tag, first, end, start, stop in SequenceMatcher(None, before, own, autojunk=False).get_opcodes():
        if tag == "equal" or (tag == "replace" and end - first == stop - start):
            found.update(zip(range(first, end + 1), range(start, stop + 1), strict=True))
        else:
            found.update({first: start, end: stop})
    return found


def _words(before: Sequence[str], own: Sequence[str], place: Mapping[int, int]) -> dict[str, str] | None:
    """Return which word another text has in the place of each word of one; None if one word has two of them."""
    found: dict[str, str] = {}
    for number, word in enumerate(before):
        at, end = place.get(number), place.get(number + 1)
        if _is_word(word) and at is not None and end == at + 1 and found.setdefault(word, own[at]) != own[at]:
            return None
    return found


def _is_word(piece: str) -> bool:
    return piece[0].isalnum() or piece[0] == "_"
