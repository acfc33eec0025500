"""Identifiers of a text, as sets of words and as numbers to count with."""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

BUCKETS = 1 << 18
"""Words are hashed into so many numbers; two words seldom share one, and no vocabulary needs to be kept."""
IDENTIFIER = re.compile(r"[^\W\d]\w*")
CALL = re.compile(r"([^\W\d]\w*)\s*\(")
"""An identifier with an opening bracket behind it; its group is the identifier."""
_WORD = re.compile(r"[^\W\d]\w{2,40}")


@lru_cache(256)
def words(text: str) -> frozenset[str]:
    """Return the identifiers and other words of three letters or more."""
    return frozenset(_WORD.findall(text))


def terms(text: str) -> NDArray[np.uint32]:
    """Return the numbers of a text's words, each once."""
    return np.array(sorted({zlib.crc32(word.encode()) % BUCKETS for word in _WORD.findall(text)}), np.uint32)


def similarity(one: Collection[str], other: Collection[str]) -> float:
    """Return the share of words that two sets have in common (Jaccard): 0 to 1."""
    ours, theirs = set(one), set(other)
    return len(ours & theirs) / len(ours | theirs) if ours or theirs else 0.0
