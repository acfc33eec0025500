"""Which tokens a KV buffer holds: re-use by longest common prefix, trimming by forgetting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_WORTH_KEEPING = 4
"""A cache is given up to another prompt unless at least one in this many of the prompt's tokens is in it."""
_LOGITS_KEPT = 6
"""Rows of logits, 600 kB each for a vocabulary of 150,000."""
_LOGITS_OF_A_RUN = 3
"""So many of them come from one suggestion: its first tokens', where somebody who types on turns away from it."""


class KvCache:
    """One sequence's keys and values, and the tokens they were computed from.

    The buffers are the model's and opaque here. A trimmed position needs no clearing: attention reads only as far as
    the length it is given, and the next step writes over the rest.
    """

    def __init__(self, buffers: Any, capacity: int) -> None:
        self.buffers = buffers
        self.capacity = capacity
        self.tokens: list[int] = []
        self.document = ""
        """Path of the document it was last used for; the pool's own note."""
        self._logits: dict[int, NDArray[np.float32]] = {}  # by how many tokens there were
        self._logits_wanted = _LOGITS_OF_A_RUN

    def __len__(self) -> int:
        return len(self.tokens)

    def reuse(self, ids: Sequence[int]) -> int:
        """Keep the tokens shared with ``ids`` and forget the rest.

        At least one token of ``ids`` is left to compute, unless the logits after the last one are known.

        Returns:
            How many tokens were kept.
        """
        kept = common_prefix(self.tokens, ids)
        if kept == len(ids) and kept not in self._logits:
            kept = max(kept - 1, 0)
        self.truncate(kept)
        self._logits_wanted = _LOGITS_OF_A_RUN
        return kept

    def truncate(self, length: int) -> None:
        """Forget all tokens after the first ``length``."""
        if length < len(self.tokens):
            del self.tokens[length:]
            self._logits = {before: row for before, row in self._logits.items() if before <= length}

    @property
    def logits(self) -> NDArray[np.float32] | None:
        """The logits (1, V) after the last token, if they are known without computing anything.

        The next keystroke in a word needs them again: what changes is only how the word is to be spelt
        (:mod:`midfill.inference.token_healing`).
        """
        row = self._logits.get(len(self.tokens))
        return None if row is None else row[np.newaxis]

    def keep_logits(self, rows: NDArray[np.float32]) -> None:
        """Remember the logits (R, V) after each of the last R tokens: the first few since the latest ``reuse``."""
        first = len(self.tokens) - len(rows) + 1
        for length, row in enumerate(rows[: self._logits_wanted], start=first):
            self._logits_wanted -= 1
            self._logits.pop(length, None)
            self._logits[length] = row.copy()  # or it would hold all rows
        while len(self._logits) > _LOGITS_KEPT:
            del self._logits[next(iter(self._logits))]

    def append(self, ids: Sequence[int]) -> None:
        """Record that the buffers now hold ``ids`` after what they held."""
        self.tokens.extend(ids)


class CachePool:
    """A few caches, so that going back to another document finds its prompt still computed.

    All are as large as the longest prompt: the system gives memory page by page as tokens come in, so a cache takes
    what its longest prompt so far took, and growing it would only add copies.
    """

    def __init__(self, make: Callable[[], KvCache], size: int) -> None:
        """Keep at most ``size`` caches, each made when it is first needed."""
        self._make = make
        self._size = size
        self._caches: list[KvCache] = []  # the most recently used last

    def pick(self, ids: Sequence[int], document: str) -> KvCache:
        """Return the cache that shares most with ``ids``, or the document's own, or a new or the oldest one.

        A document whose prompt was cut anew keeps its cache, though nothing in it can be used: memory grows with the
        documents, not with the cuts.
        """
        shared = [common_prefix(cache.tokens, ids) for cache in self._caches]
        longest = max(shared, default=0)
        best = self._caches[shared.index(longest)] if shared else None
        if longest * _WORTH_KEEPING < len(ids):
            best = next((cache for cache in self._caches if cache.document == document), None)
        if best is None:
            best = self._make() if len(self._caches) < self._size else self._caches[0]
        if best in self._caches:
            self._caches.remove(best)
        self._caches.append(best)
        best.document = document
        return best


def common_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    """Return how many leading tokens two sequences share."""
    shared = 0
    for a, b in zip(left, right, strict=False):
        if a != b:
            break
        shared += 1
    return shared
