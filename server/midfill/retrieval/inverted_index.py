"""What is known of the workspace's files, in little memory: their definitions by name, and their chunks by words.

Texts are not kept: a snippet is read from its file when it is wanted. For 10,000 files of 300 lines this takes some
100 MB.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from midfill.code.identifiers import BUCKETS, terms
from midfill.code.languages import Language, language_of
from midfill.code.source_files import read_source
from midfill.code.syntax import Definition, Syntax

MOST_FILES = 50_000
MOST_BYTES = 120_000_000
"""Of what grows with the files, about; what comes later is left out."""
_CHUNK_LINES = 32
_SATURATION, _LENGTH_WEIGHT = 1.2, 0.75
"""BM25's k1 and b."""
_HIGHEST_DAMPING = (1 + _SATURATION) / (1 + _SATURATION * (1 - _LENGTH_WEIGHT))
"""That of the shortest chunk."""
_WORTH_SORTING = 0.4
"""Chunks of less than this share of the best score are not looked at."""
_TOO_COMMON = 0.1
"""A word of more than this share of the chunks says nothing."""
_PACKAGE_FILES = frozenset(("__init__", "index", "mod", "lib", "init", "main"))
"""Files that stand for their folder when it is imported."""

Stamp = tuple[int, int]
"""Time of change in nanoseconds and size in bytes."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of the workspace."""

    path: str
    stamp: Stamp
    definitions: bytes
    """Compressed; see :meth:`InvertedIndex.definitions`."""
    names: tuple[str, ...]
    chunks: NDArray[np.int32]
    """First and last line of each chunk, and how many terms it has: (chunks, 3)."""
    terms: NDArray[np.uint32]
    """The terms of all chunks, one after the other."""

    @property
    def bytes(self) -> int:
        """About what it takes in memory."""
        names = sum(map(len, self.names)) + 150 * len(self.names)
        return len(self.path) + len(self.definitions) + self.chunks.nbytes + self.terms.nbytes + names + 1000


@dataclass(frozen=True)
class Hit:
    """A chunk that is similar to what was asked for."""

    path: str
    first_line: int
    last_line: int
    score: float
    """From 0 to 1: what share of the question's words it has, rare ones counting more."""


class InvertedIndex:
    """The files of a workspace; one thread may use it."""

    def __init__(self, most_files: int = MOST_FILES, most_bytes: int = MOST_BYTES) -> None:
        self._most_files, self._most_bytes = most_files, most_bytes
        self._files: dict[str, SourceFile] = {}
        self._by_name: dict[str, tuple[str, ...]] = {}
        self._by_stem: dict[str, tuple[str, ...]] = {}
        self._bytes = 0
        self._ranking = _Ranking([])
        self._is_stale = False

    def __len__(self) -> int:
        """Return how many files it has."""
        return len(self._files)

    @property
    def paths(self) -> Iterable[str]:
        """The paths of all files."""
        return self._files.keys()

    @property
    def is_full(self) -> bool:
        """Whether no more files are taken in."""
        return len(self._files) >= self._most_files or self._bytes >= self._most_bytes

    def update(self, path: str) -> bool:
        """Take in a file as it is now, or forget it when it is none any more; say whether that changed anything."""
        stamp = stamp_of(path)
        known = self._files.get(path)
        if known is not None and known.stamp == stamp:
            return False
        text = read_source(Path(path)) if stamp else None
        self.forget(path)
        if text is None or stamp is None or self.is_full:
            return known is not None
        self._add(_described(path, stamp, text, language_of(path)))
        return True

    def forget(self, path: str) -> None:
        """Leave out a file."""
        file = self._files.pop(path, None)
        if file is not None:
            self._bytes -= file.bytes
            for name in file.names:
                _drop(self._by_name, name, path)
            for stem in _stems(path):
                _drop(self._by_stem, stem, path)
            self._is_stale = True

    def has(self, path: str) -> bool:
        """Say whether a file is known."""
        return path in self._files

    def defining(self, name: str) -> tuple[str, ...]:
        """Return the paths of the files that define ``name``."""
        return self._by_name.get(name, ())

    def named(self, stem: str) -> tuple[str, ...]:
        """Return the paths of the files called ``stem`` but for their ending, or that stand for a folder so called."""
        return self._by_stem.get(stem, ())

    def definitions(self, path: str) -> tuple[Definition, ...]:
        """Return the definitions of a file, () for one that is not known."""
        file = self._files.get(path)
        return _unpacked(file.definitions) if file else ()

    def similar(self, text: str, limit: int) -> list[Hit]:
        """Return the chunks that share most with ``text``, the most similar first, as of the last :meth:`rank`.

        The ranking is BM25 (S. Robertson and H. Zaragoza, 2009), each word of a chunk counted once.
        """
        hits = self._ranking.similar(terms(text), limit)
        # A file that has changed since then has other lines there.
        return [hit for file, hit in hits if self._files.get(file.path) is file]

    def rank(self) -> None:
        """Take what has changed into the ranking; a second for 10,000 files, nothing when nothing has."""
        if self._is_stale:
            self._ranking = _Ranking(list(self._files.values()))
            self._is_stale = False

    def _add(self, file: SourceFile) -> None:
        self._files[file.path] = file
        self._bytes += file.bytes
        for name in file.names:
            self._by_name[name] = (*self._by_name.get(name, ()), file.path)
        for stem in _stems(file.path):
            self._by_stem[stem] = (*self._by_stem.get(stem, ()), file.path)
        self._is_stale = True


class _Ranking:
    """All chunks by their terms, made anew after changes."""

    def __init__(self, files: list[SourceFile]) -> None:
        self._files = files
        self._chunks = np.concatenate([*(file.chunks for file in files), np.empty((0, 3), np.int32)])
        self._owners = np.repeat(np.arange(len(files), dtype=np.int32), [len(file.chunks) for file in files])
        by_chunk = np.concatenate([*(file.terms for file in files), np.empty(0, np.uint32)])
        having = np.bincount(by_chunk, minlength=BUCKETS)
        self._postings = _postings(by_chunk, np.cumsum(self._chunks[:, 2]))
        self._ends = np.cumsum(having)
        total = len(self._chunks)
        self._rarity = np.log1p((total - having + 0.5) / (having + 0.5)).astype(np.float32)
        self._rarity[having > max(total * _TOO_COMMON, 8)] = 0
        lengths = self._chunks[:, 2].astype(np.float32)
        relative = lengths / max(float(lengths.mean()), 1.0) if total else lengths
        self._damping = (1 + _SATURATION) / (1 + _SATURATION * (1 - _LENGTH_WEIGHT + _LENGTH_WEIGHT * relative))

    def similar(self, question: NDArray[np.uint32], limit: int) -> list[tuple[SourceFile, Hit]]:
        scores = np.zeros(len(self._chunks), np.float32)
        for term in question.tolist():
            if self._rarity[term]:
                start = self._ends[term - 1] if term else 0
                scores[self._postings[start : self._ends[term]]] += self._rarity[term]
        scores *= self._damping
        most = float(self._rarity[question].sum()) * _HIGHEST_DAMPING
        near = np.flatnonzero(scores > _WORTH_SORTING * scores.max(initial=0.0))
        ordered = sorted(near.tolist(), key=lambda number: (-scores[number], number))[:limit]
        return [self._hit(number, float(scores[number]) / most) for number in ordered]

    def _hit(self, number: int, score: float) -> tuple[SourceFile, Hit]:
        first, last, _ = self._chunks[number].tolist()
        file = self._files[self._owners[number]]
        return file, Hit(file.path, first, last, score)


def _postings(terms: NDArray[np.uint32], ends: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the chunks that have term 0, then those that have term 1, ...; chunk n's ``terms`` end at ``ends[n]``.

    A sixteenth of the terms is sorted at a time: sorting all at once would take as much memory as all the rest.
    """
    share = BUCKETS // 16
    postings = []
    for lowest in range(0, BUCKETS, share):
        places = np.flatnonzero((terms >= lowest) & (terms < lowest + share)).astype(np.int32)
        places = places[np.argsort(terms[places], kind="stable")]
        postings.append(np.searchsorted(ends, places, side="right").astype(np.int32))
    return np.concatenate(postings)


def stamp_of(path: str) -> Stamp | None:
    """Return what changes when a file does, None for one that is not there."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size


def split_chunks(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Cut lines into chunks of at most 32, at the last empty or outermost line where there is one; (first, last)."""
    first = 0
    while first < len(lines):
        end = min(first + _CHUNK_LINES, len(lines))
        if end < len(lines):
            middle = first + _CHUNK_LINES // 2
            end = next((n for n in range(end, middle, -1) if not lines[n - 1].strip()), end)
        yield first, end - 1
        first = end


def _described(path: str, stamp: Stamp, text: str, language: Language) -> SourceFile:
    definitions = Syntax(text, language).definitions()
    lines = text.split("\n")
    pieces = [(first, last, terms("\n".join(lines[first : last + 1]))) for first, last in split_chunks(lines)]
    pieces = [piece for piece in pieces if len(piece[2])]
    return SourceFile(
        path,
        stamp,
        _packed(definitions),
        tuple({definition.name for definition in definitions}),
        np.array([(first, last, len(found)) for first, last, found in pieces], np.int32).reshape(-1, 3),
        np.concatenate([*(found for _, _, found in pieces), np.empty(0, np.uint32)]),
    )


def _packed(definitions: list[Definition]) -> bytes:
    return zlib.compress(json.dumps([list(vars(definition).values()) for definition in definitions]).encode(), 1)


@lru_cache(64)
def _unpacked(packed: bytes) -> tuple[Definition, ...]:
    return tuple(Definition(*row) for row in json.loads(zlib.decompress(packed)))


def _stems(path: str) -> set[str]:
    pure = PurePath(path)
    return {pure.stem, pure.parent.name} if pure.stem in _PACKAGE_FILES else {pure.stem}


def _drop(index: dict[str, tuple[str, ...]], key: str, path: str) -> None:
    left = tuple(other for other in index.get(key, ()) if other != path)
    if left:
        index[key] = left
    else:
        index.pop(key, None)
