"""One file of the workspace as the index keeps it: its definitions, and the words of its chunks.

The text is not kept: a snippet is read from its file when it is needed.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from midfill.code.identifiers import terms
from midfill.code.languages import Language
from midfill.code.syntax import Definition, Syntax
from midfill.common.file_system import FileStamp
from midfill.privacy.secrets import RedactedText

_CHUNK_LINES = 32
"""Maximum number of lines of a chunk."""


@dataclass(frozen=True, slots=True)
class IndexedFile:
    """One file of the workspace."""

    path: str
    stamp: FileStamp
    packed_definitions: bytes
    """Compressed JSON; see :meth:`definitions`."""
    names: tuple[str, ...]
    """The names that the file defines."""
    chunks: NDArray[np.int32]
    """First line, last line and number of terms of each chunk: (chunks, 3)."""
    terms: NDArray[np.uint32]
    """The terms of all chunks, one chunk after the other."""

    @property
    def bytes(self) -> int:
        """Approximate number of bytes that the file takes in memory."""
        names = sum(map(len, self.names)) + 150 * len(self.names)
        return len(self.path) + len(self.packed_definitions) + self.chunks.nbytes + self.terms.nbytes + names + 1000

    def definitions(self) -> tuple[Definition, ...]:
        """Return the definitions in the order of their first lines."""
        return _unpacked(self.packed_definitions)


def index_text(path: str, stamp: FileStamp, text: RedactedText, language: Language) -> IndexedFile:
    """Extract from a file's ``text`` what the index keeps."""
    definitions = Syntax(text, language).definitions()
    lines = text.split("\n")
    chunks = [(first, last, terms("\n".join(lines[first : last + 1]))) for first, last in split_chunks(lines)]
    chunks = [chunk for chunk in chunks if len(chunk[2])]
    return IndexedFile(
        path,
        stamp,
        _packed(definitions),
        tuple({definition.name for definition in definitions}),
        np.array([(first, last, len(found)) for first, last, found in chunks], np.int32).reshape(-1, 3),
        np.concatenate([*(found for _, _, found in chunks), np.empty(0, np.uint32)]),
    )


def split_chunks(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Yield the first and last line of each chunk: at most 32 lines, cut after the last blank line of its second half.

    A chunk without a blank line in its second half has 32 lines.
    """
    first = 0
    while first < len(lines):
        end = min(first + _CHUNK_LINES, len(lines))
        if end < len(lines):
            middle = first + _CHUNK_LINES // 2
            end = next((n for n in range(end, middle, -1) if not lines[n - 1].strip()), end)
        yield first, end - 1
        first = end


def _packed(definitions: list[Definition]) -> bytes:
    return zlib.compress(json.dumps([list(vars(definition).values()) for definition in definitions]).encode(), 1)


@lru_cache(64)
def _unpacked(packed: bytes) -> tuple[Definition, ...]:
    return tuple(Definition(*row) for row in json.loads(zlib.decompress(packed)))
