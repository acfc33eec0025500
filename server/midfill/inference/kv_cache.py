"""KV caches: which tokens they hold, and which of them serve a new prompt (its longest common prefix)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MIN_SHARED = 1 / 4
"""Minimum part of a prompt's tokens that a cache must hold to be chosen for it."""
_MAX_LOGITS = 6
"""Maximum number of rows of logits that a cache keeps. A row has 600 kB for a vocabulary of 150,000."""
_MAX_LOGITS_OF_A_SUGGESTION = 3
"""Maximum number of these rows from one suggestion. They are the first ones: there, most users who type something else
leave it."""


class KvCache:
    """The keys and values of one sequence, and the tokens that they were computed from.

    The buffers belong to the model. Truncated positions are not cleared: attention reads only up to the given length,
    and the next step overwrites the rest.
    """

    def __init__(self, buffers: Any, capacity: int) -> None:
        self.buffers = buffers
        self.capacity = capacity
        self.tokens: list[int] = []
        self.document = ""
        """Path of the document that it was last used for. Only the pool uses it."""
        self._logits: dict[int, NDArray[np.float32]] = {}  # rows (V,) by the number of tokens before them
        self._logits_to_keep = _MAX_LOGITS_OF_A_SUGGESTION

    def __len__(self) -> int:
        return len(self.tokens)

    def reuse(self, ids: Sequence[int]) -> int:
        """Keep the longest common prefix with ``ids``, and drop the rest.

        If all of ``ids`` is in the cache but the logits after it are not, the last token is dropped too, so that
        computing it gives these logits.

        Returns:
            The number of tokens kept.
        """
        kept = common_prefix(self.tokens, ids)
        if kept == len(ids) and kept not in self._logits:
            kept = max(kept - 1, 0)
        self.truncate(kept)
        self._logits_to_keep = _MAX_LOGITS_OF_A_SUGGESTION
        return kept

    def truncate(self, length: int) -> None:
        """Drop all tokens after the first ``length``."""
        if length < len(self.tokens):
            del self.tokens[length:]
            self._logits = {before: row for before, row in self._logits.items() if before <= length}

    @property
    def logits(self) -> NDArray[np.float32] | None:
        """The logits (1, V) after the last token if they were kept, else None.

        The next keystroke in a word needs them again. Only the text that the first tokens must spell differs then
        (:mod:`midfill.inference.token_healing`).
        """
        row = self._logits.get(len(self.tokens))
        return None if row is None else row[np.newaxis]

    def keep_logits(self, rows: NDArray[np.float32]) -> None:
        """Keep the logits (R, V) after each of the last R tokens; only the first few rows after each ``reuse``."""
        first = len(self.tokens) - len(rows) + 1
        for length, row in enumerate(rows[: self._logits_to_keep], start=first):
            self._logits_to_keep -= 1
            self._logits.pop(length, None)
            self._logits[length] = row.copy()  # a view would keep all rows in memory
        while len(self._logits) > _MAX_LOGITS:
            del self._logits[next(iter(self._logits))]

    def append(self, ids: Sequence[int]) -> None:
        """Record that ``ids`` were appended to the buffers."""
        self.tokens.extend(ids)


class CachePool:
    """Several caches, so that a user who returns to another document finds its prompt still computed.

    Each cache has room for the longest possible prompt. That costs nothing: the system gives memory page by page, so a
    cache takes only what its longest prompt so far needed.
    """

    def __init__(self, make: Callable[[], KvCache], size: int) -> None:
        """Keep at most ``size`` caches. ``make`` makes each one when it is first needed."""
        self._make = make
        self._size = size
        self._caches: list[KvCache] = []  # the most recently used last

    def pick(self, ids: Sequence[int], document: str) -> KvCache:
        """Return the best cache for the prompt ``ids`` of ``document``, and make it the most recently used one.

        The first of these that exists is the best: the cache that shares most tokens with ``ids``, if it shares enough;
        the document's own cache; one whose tokens are all a start of ``ids``, as after an interrupted prefill; a new
        cache; the least recently used one. A document keeps its cache even when the start of its prompt moves and no
        token fits, so that it never takes a second one.
        """
        shared = [common_prefix(cache.tokens, ids) for cache in self._caches]
        longest = max(shared, default=0)
        best = self._caches[shared.index(longest)] if shared else None
        if longest < _MIN_SHARED * len(ids):
            interrupted = best if best is not None and 0 < longest == len(best) else None
            best = next((cache for cache in self._caches if cache.document == document), interrupted)
        if best is None:
            best = self._make() if len(self._caches) < self._size else self._caches[0]
        if best in self._caches:
            self._caches.remove(best)
        self._caches.append(best)
        best.document = document
        return best


def common_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    """Return the length of the longest common prefix of two sequences."""
    shared = 0
    for a, b in zip(left, right, strict=False):
        if a != b:
            break
        shared += 1
    return shared
