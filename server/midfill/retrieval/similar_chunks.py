"""The chunks of the workspace that are most similar to a text.

The ranking is BM25 (S. Robertson and H. Zaragoza, 2009); each word of a chunk is counted once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from midfill.code.identifiers import BUCKETS
from midfill.retrieval.indexed_file import IndexedFile

_SATURATION, _LENGTH_WEIGHT = 1.2, 0.75
"""BM25's k1 and b."""
_MAX_DAMPING = (1 + _SATURATION) / (1 + _SATURATION * (1 - _LENGTH_WEIGHT))
"""The factor of the shortest possible chunk."""
_MIN_SHARE_OF_BEST = 0.4
"""Chunks with a lower share of the best score are not sorted."""
_MAX_SHARE_OF_CHUNKS = 0.1
"""A word in a larger share of the chunks is ignored."""


@dataclass(frozen=True)
class SimilarChunk:
    """A chunk that is similar to the given text."""

    path: str
    first_line: int
    last_line: int
    score: float
    """Share of the given text's words that the chunk has, from 0 to 1; rare words count more."""


class ChunkRanking:
    """The chunks of a fixed list of files, by their terms."""

    def __init__(self, files: list[IndexedFile]) -> None:
        """Count the terms of all chunks; for 10,000 files this takes a second."""
        self._files = files
        self._chunks = np.concatenate([*(file.chunks for file in files), np.empty((0, 3), np.int32)])
        self._owners = np.repeat(np.arange(len(files), dtype=np.int32), [len(file.chunks) for file in files])
        by_chunk = np.concatenate([*(file.terms for file in files), np.empty(0, np.uint32)])
        having = np.bincount(by_chunk, minlength=BUCKETS)
        self._postings = _postings(by_chunk, np.cumsum(self._chunks[:, 2]))
        self._ends = np.cumsum(having)
        total = len(self._chunks)
        self._rarity = np.log1p((total - having + 0.5) / (having + 0.5)).astype(np.float32)
        self._rarity[having > max(total * _MAX_SHARE_OF_CHUNKS, 8)] = 0
        lengths = self._chunks[:, 2].astype(np.float32)
        relative = lengths / max(float(lengths.mean()), 1.0) if total else lengths
        self._damping = (1 + _SATURATION) / (1 + _SATURATION * (1 - _LENGTH_WEIGHT + _LENGTH_WEIGHT * relative))

    def similar(self, terms: NDArray[np.uint32], limit: int) -> list[tuple[IndexedFile, SimilarChunk]]:
        """Return at most ``limit`` chunks with their files, the most similar first."""
        scores = np.zeros(len(self._chunks), np.float32)
        for term in terms.tolist():
            if self._rarity[term]:
                start = self._ends[term - 1] if term else 0
                scores[self._postings[start : self._ends[term]]] += self._rarity[term]
        scores *= self._damping
        max_score = float(self._rarity[terms].sum()) * _MAX_DAMPING
        best = np.flatnonzero(scores > _MIN_SHARE_OF_BEST * scores.max(initial=0.0))
        ordered = sorted(best.tolist(), key=lambda number: (-scores[number], number))[:limit]
        return [self._chunk(number, float(scores[number]) / max_score) for number in ordered]

    def _chunk(self, number: int, score: float) -> tuple[IndexedFile, SimilarChunk]:
        first, last, _ = self._chunks[number].tolist()
        file = self._files[self._owners[number]]
        return file, SimilarChunk(file.path, first, last, score)


def _postings(terms: NDArray[np.uint32], ends: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the chunks that have term 0, then those that have term 1, and so on.

    Chunk n's ``terms`` end at ``ends[n]``. One sixteenth of the terms is sorted at a time: sorting all terms at once
    would double the memory.
    """
    share = BUCKETS // 16
    postings = []
    for lowest in range(0, BUCKETS, share):
        places = np.flatnonzero((terms >= lowest) & (terms < lowest + share)).astype(np.int32)
        places = places[np.argsort(terms[places], kind="stable")]
        postings.append(np.searchsorted(ends, places, side="right").astype(np.int32))
    return np.concatenate(postings)
