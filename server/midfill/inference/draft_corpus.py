"""Token sequences to look guesses up in besides the prompt: what was read of other documents, and what was suggested.

Everything here has been tokenised for a prompt or decoded before, so keeping it costs nothing but a little memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from midfill.inference.prompt_lookup import SEPARATOR

_MOST_TOKENS = 20_000
"""Of all documents together: a look-up among so many takes some 20 microseconds, a step of the model milliseconds."""
_SUGGESTIONS = 32
_LEAD = 8
"""Tokens kept from before a suggestion: as many as a look-up compares."""


class DraftCorpus:
    """Recently read windows of documents, one each, and the last suggestions."""

    def __init__(self, control: Iterable[int], most_tokens: int = _MOST_TOKENS) -> None:
        """Remember up to ``most_tokens`` of documents; ``control`` tokens in a prompt separate its parts."""
        self._control = np.array(sorted(control), np.int32)
        self._most_tokens = most_tokens
        self._documents: dict[str, NDArray[np.int32]] = {}  # the most recently read last
        self._suggestions: deque[NDArray[np.int32]] = deque(maxlen=_SUGGESTIONS)

    def read(self, document: str, prompt: Sequence[int]) -> None:
        """Remember what ``prompt`` holds of ``document``, instead of what was read of it before."""
        self._documents.pop(document, None)
        self._documents[document] = self._separated(prompt)
        while len(self._documents) > 1 and sum(map(len, self._documents.values())) > self._most_tokens:
            del self._documents[next(iter(self._documents))]

    def suggested(self, prompt: Sequence[int], suggestion: Sequence[int]) -> None:
        """Remember a suggestion, and what it followed."""
        self._suggestions.append(self._separated([*prompt[-_LEAD:], *suggestion]))

    def forget(self, document: str) -> None:
        """Forget a document, which is closed."""
        self._documents.pop(document, None)

    def besides(self, document: str) -> NDArray[np.int32]:
        """Return all that is remembered but of ``document``, whose prompt says more; suggestions last."""
        others = [tokens for name, tokens in self._documents.items() if name != document]
        return np.concatenate([*others, *self._suggestions, np.empty(0, np.int32)])

    def _separated(self, tokens: Sequence[int]) -> NDArray[np.int32]:
        ids = np.array([*tokens, SEPARATOR], np.int32)
        ids[np.isin(ids, self._control)] = SEPARATOR
        return ids
