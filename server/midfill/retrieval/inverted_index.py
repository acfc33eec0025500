"""The index of the workspace's files: by the names they define, by file name, and by the words of their chunks.

For 10,000 files of 300 lines it takes about 100 MB.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePath

from midfill.code.identifiers import terms
from midfill.code.languages import language_of
from midfill.code.syntax import Definition
from midfill.common.file_system import stamp_of
from midfill.retrieval.indexed_file import IndexedFile, index_text
from midfill.retrieval.redacted_files import read_redacted_source
from midfill.retrieval.similar_chunks import ChunkRanking, SimilarChunk

MAX_FILES = 50_000
MAX_INDEX_BYTES = 120_000_000
"""Maximum size of the index in memory, approximately; further files are not indexed."""
_FOLDER_STEMS = frozenset(("__init__", "index", "mod", "lib", "init", "main"))
"""Stems of files that are imported by the name of their folder."""


class InvertedIndex:
    """The index of a workspace; to be used by one thread."""

    def __init__(self, max_files: int = MAX_FILES, max_bytes: int = MAX_INDEX_BYTES) -> None:
        self._max_files, self._max_bytes = max_files, max_bytes
        self._files: dict[str, IndexedFile] = {}
        self._by_name: dict[str, tuple[str, ...]] = {}
        self._by_stem: dict[str, tuple[str, ...]] = {}
        self._bytes = 0
        self._ranking = ChunkRanking([])
        self._ranking_is_stale = False

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self._files)

    @property
    def paths(self) -> Iterable[str]:
        """The paths of all files."""
        return self._files.keys()

    @property
    def is_full(self) -> bool:
        """Whether no further files are indexed."""
        return len(self._files) >= self._max_files or self._bytes >= self._max_bytes

    def update(self, path: str) -> bool:
        """Index a file's current text, or remove what is no source file now; return whether the index changed."""
        stamp = stamp_of(path)
        known = self._files.get(path)
        if known is not None and known.stamp == stamp:
            return False
        text = read_redacted_source(Path(path)) if stamp else None
        self.remove(path)
        if text is None or stamp is None or self.is_full:
            return known is not None
        self._add(index_text(path, stamp, text, language_of(path)))
        return True

    def remove(self, path: str) -> None:
        """Remove a file from the index."""
        file = self._files.pop(path, None)
        if file is not None:
            self._bytes -= file.bytes
            for name in file.names:
                _drop(self._by_name, name, path)
            for stem in _stems(path):
                _drop(self._by_stem, stem, path)
            self._ranking_is_stale = True

    @property
    def is_stale(self) -> bool:
        """Whether a file has changed since the last :meth:`rank`."""
        return self._ranking_is_stale

    def has(self, path: str) -> bool:
        """Return whether a file is in the index."""
        return path in self._files

    def defining(self, name: str) -> tuple[str, ...]:
        """Return the paths of the files that define ``name``."""
        return self._by_name.get(name, ())

    def named(self, stem: str) -> tuple[str, ...]:
        """Return the paths of the files whose name without suffix is ``stem``, or that are imported as this folder."""
        return self._by_stem.get(stem, ())

    def definitions(self, path: str) -> tuple[Definition, ...]:
        """Return the definitions of a file; () for a file that is not in the index."""
        file = self._files.get(path)
        return file.definitions() if file else ()

    def similar(self, text: str, limit: int) -> list[SimilarChunk]:
        """Return the chunks most similar to ``text``, the most similar first, as of the last :meth:`rank`."""
        found = self._ranking.similar(terms(text), limit)
        # A file that has changed since the last ranking may have other text at these lines.
        return [chunk for file, chunk in found if self._files.get(file.path) is file]

    def rank(self) -> None:
        """Update the ranking of similar chunks; a second for 10,000 files, no time when no file has changed."""
        if self._ranking_is_stale:
            self._ranking = ChunkRanking(list(self._files.values()))
            self._ranking_is_stale = False

    def _add(self, file: IndexedFile) -> None:
        self._files[file.path] = file
        self._bytes += file.bytes
        for name in file.names:
            self._by_name[name] = (*self._by_name.get(name, ()), file.path)
        for stem in _stems(file.path):
            self._by_stem[stem] = (*self._by_stem.get(stem, ()), file.path)
        self._ranking_is_stale = True


def _stems(path: str) -> set[str]:
    pure = PurePath(path)
    return {pure.stem, pure.parent.name} if pure.stem in _FOLDER_STEMS else {pure.stem}


def _drop(index: dict[str, tuple[str, ...]], key: str, path: str) -> None:
    left = tuple(other for other in index.get(key, ()) if other != path)
    if left:
        index[key] = left
    else:
        index.pop(key, None)
