"""Chunks of documents that were edited or looked at lately: what somebody has in mind."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from midfill.code.identifiers import similarity, words

_MOST_CHUNKS = 16
_CHUNK_LINES = 64
_MOST_CHARACTERS = 8_000
_FEWEST_WORDS = 4
_THE_SAME = 0.9
"""A chunk more similar than that to a new one makes room for it."""
_KNOWN = 0.5
"""A chunk more similar than that to what stands at the cursor has nothing to add."""


@dataclass(frozen=True)
class Chunk:
    """Some lines of a document, as they were."""

    path: str
    first_line: int
    last_line: int
    text: str
    words: frozenset[str]


class RecentEdits:
    """The last chunks, at most 16 of 64 lines; one thread may add to it and another one read."""

    def __init__(self) -> None:
        self._chunks: tuple[Chunk, ...] = ()  # the most recent last; never changed, but replaced

    def add(self, path: str, text: str, line: int) -> None:
        """Remember the lines of ``text`` round ``line``, instead of what was remembered of the same place."""
        lines = text.split("\n")
        first = min(max(line - _CHUNK_LINES // 2, 0), max(len(lines) - _CHUNK_LINES, 0))
        last = min(first + _CHUNK_LINES, len(lines)) - 1
        piece = "\n".join(lines[first : last + 1])[:_MOST_CHARACTERS]
        last = first + piece.count("\n")
        chunk = Chunk(path, first, last, piece, words(piece))
        if len(chunk.words) < _FEWEST_WORDS:
            return
        if any(known.path == path and known.text == piece for known in self._chunks[-1:]):
            return
        kept = [known for known in self._chunks if not _replaces(chunk, known)]
        self._chunks = (*kept, chunk)[-_MOST_CHUNKS:]

    def forget(self, path: str) -> None:
        """Forget all chunks of a document."""
        self._chunks = tuple(chunk for chunk in self._chunks if chunk.path != path)

    def besides(self, path: str, window: Collection[str] = frozenset()) -> tuple[Chunk, ...]:
        """Return the chunks of other documents that the words at the cursor do not say already; the latest first."""
        others = (chunk for chunk in reversed(self._chunks) if chunk.path != path)
        return tuple(chunk for chunk in others if similarity(chunk.words, window) <= _KNOWN)


def _replaces(new: Chunk, old: Chunk) -> bool:
    overlap = min(new.last_line, old.last_line) - max(new.first_line, old.first_line) + 1
    same_place = new.path == old.path and overlap * 2 > old.last_line - old.first_line + 1
    return same_place or similarity(new.words, old.words) > _THE_SAME
