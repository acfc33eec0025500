"""Chunks of the documents that the user edited or looked at recently."""

from __future__ import annotations

from dataclasses import dataclass

from midfill.code.identifiers import similarity, words
from midfill.privacy.secrets import redacted_lines

_MAX_RECENT_CHUNKS = 16
_RECENT_CHUNK_LINES = 64
"""Maximum number of lines of a chunk."""
_MAX_RECENT_CHUNK_CHARACTERS = 8_000
_MIN_WORDS = 4
"""Minimum number of different words of a chunk."""
_MAX_SIMILARITY_KEPT = 0.9
"""A new chunk replaces each older one that is more similar to it."""


@dataclass(frozen=True)
class RecentChunk:
    """Some lines of a document, as they were when the user worked there, without secrets."""

    path: str
    first_line: int
    last_line: int
    text: str
    words: frozenset[str]


class RecentEdits:
    """The last 16 chunks of at most 64 lines. One thread may add chunks while another one reads them."""

    def __init__(self) -> None:
        self._chunks: tuple[RecentChunk, ...] = ()  # the most recent last; replaced as a whole, for the other thread

    def add(self, path: str, text: str, line: int) -> None:
        """Remember the lines around ``line``, without secrets; they replace an older chunk of the same place."""
        count = text.count("\n") + 1
        first = min(max(line - _RECENT_CHUNK_LINES // 2, 0), max(count - _RECENT_CHUNK_LINES, 0))
        last = min(first + _RECENT_CHUNK_LINES, count) - 1
        piece = redacted_lines(text, first, last)[:_MAX_RECENT_CHUNK_CHARACTERS]
        last = first + piece.count("\n")
        chunk = RecentChunk(path, first, last, piece, words(piece))
        if len(chunk.words) < _MIN_WORDS:
            return
        if any(known.path == path and known.text == piece for known in self._chunks[-1:]):
            return
        kept = [known for known in self._chunks if not _replaces(chunk, known)]
        self._chunks = (*kept, chunk)[-_MAX_RECENT_CHUNKS:]

    def forget(self, path: str) -> None:
        """Forget all chunks of a document."""
        self._chunks = tuple(chunk for chunk in self._chunks if chunk.path != path)

    def besides(self, path: str) -> tuple[RecentChunk, ...]:
        """Return the chunks of all documents except ``path``, the most recent first."""
        return tuple(chunk for chunk in reversed(self._chunks) if chunk.path != path)


def _replaces(new: RecentChunk, old: RecentChunk) -> bool:
    overlap = min(new.last_line, old.last_line) - max(new.first_line, old.first_line) + 1
    same_place = new.path == old.path and overlap * 2 > old.last_line - old.first_line + 1
    return same_place or similarity(new.words, old.words) > _MAX_SIMILARITY_KEPT
