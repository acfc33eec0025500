"""Token sequences in which drafts are looked up besides the prompt: other documents, and earlier suggestions.

All of them were tokenised for a prompt or decoded before, so the corpus costs only a little memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from midfill.inference.prompt_lookup import SEPARATOR

_MAX_DOCUMENT_TOKENS = 20_000
"""Maximum number of tokens of all documents together. A lookup in that many takes about 20 microseconds; a step of the
model takes milliseconds."""
_MAX_SUGGESTIONS = 32
_LEAD_TOKENS = 8
"""Number of tokens kept from before a suggestion: as many as a lookup compares."""


class DraftCorpus:
    """The latest prompt of each document, and the latest suggestions."""

    def __init__(self, control: Iterable[int], max_tokens: int = _MAX_DOCUMENT_TOKENS) -> None:
        """Keep up to ``max_tokens`` tokens of documents. ``control`` tokens of a prompt separate its parts."""
        self._control = np.array(sorted(control), np.int32)
        self._max_tokens = max_tokens
        self._documents: dict[str, NDArray[np.int32]] = {}  # the most recently used last
        self._suggestions: deque[NDArray[np.int32]] = deque(maxlen=_MAX_SUGGESTIONS)

    def add_document(self, document: str, prompt: Sequence[int]) -> None:
        """Add the ``prompt`` of a document. It replaces the document's earlier one."""
        self._documents.pop(document, None)
        self._documents[document] = self._separated(prompt)
        while len(self._documents) > 1 and sum(map(len, self._documents.values())) > self._max_tokens:
            del self._documents[next(iter(self._documents))]

    def add_suggestion(self, prompt: Sequence[int], suggestion: Sequence[int]) -> None:
        """Add a suggestion, after the last tokens of its ``prompt``."""
        self._suggestions.append(self._separated([*prompt[-_LEAD_TOKENS:], *suggestion]))

    def forget(self, document: str) -> None:
        """Forget a document, because it was closed."""
        self._documents.pop(document, None)

    def excluding(self, document: str) -> NDArray[np.int32]:
        """Return the token ids (N,) of all sequences except those of ``document``; suggestions are last.

        A lookup searches the prompt of ``document`` itself anyway, and that is newer.
        """
        others = [tokens for name, tokens in self._documents.items() if name != document]
        return np.concatenate([*others, *self._suggestions, np.empty(0, np.int32)])

    def _separated(self, tokens: Sequence[int]) -> NDArray[np.int32]:
        ids = np.array([*tokens, SEPARATOR], np.int32)
        ids[np.isin(ids, self._control)] = SEPARATOR
        return ids
