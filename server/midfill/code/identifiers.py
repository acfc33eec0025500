"""The identifiers of a text, as a set of words and as hash numbers for the index."""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

BUCKETS = 1 << 18
"""Number of different hash numbers. Two words rarely share one, and no vocabulary has to be stored."""
IDENTIFIER = re.compile(r"[^\W\d]\w*")
CALL = re.compile(r"\b([^\W\d]\w*)\s*\(")
"""An identifier before an opening bracket; the group is the identifier.

It begins where a word begins. Otherwise a search would begin anew at each character of a long word.
"""
_WORD = re.compile(r"[^\W\d]\w{2,40}")


@lru_cache(256)
def words(text: str) -> frozenset[str]:
    """Return the identifiers and other words of 3 to 41 characters."""
    return frozenset(_WORD.findall(text))


def terms(text: str) -> NDArray[np.uint32]:
    """Return the hash numbers of a text's words, sorted, each once."""
    return np.array(sorted({zlib.crc32(word.encode()) % BUCKETS for word in _WORD.findall(text)}), np.uint32)


def similarity(one: Collection[str], other: Collection[str]) -> float:
    """Return the Jaccard similarity of two sets of words: 0 for no common word, 1 for equal sets."""
    first, second = set(one), set(other)
    return len(first & second) / len(first | second) if first or second else 0.0
