"""Greedy decoding as a generator of tokens: prefill what the cache lacks, then check guesses until something stops it.

Speculation (:mod:`midfill.drafts`) never changes what comes out: a guessed token is kept only if it is the one that
greedy decoding chooses in its place, and a step's logits do not depend on how many tokens it has (see
:class:`midfill.model.OnnxModel`).
"""

from __future__ import annotations

import time
from collections.abc import Container, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from midfill.cancel import CancelFlag
from midfill.drafts import Drafter, DraftLength
from midfill.healing import Healing
from midfill.kv_cache import KvCache
from midfill.model import Model

PREFILL_CHUNK = 256
"""Most tokens of a prompt computed in one step."""


class Decoder:
    """One decoding run; what it measured can be read while it runs and afterwards."""

    def __init__(self, model: Model, cache: KvCache, cancel: CancelFlag, draft_length: DraftLength) -> None:
        """Decode with ``cache``; ``draft_length`` learns from run to run."""
        self._model = model
        self._cache = cache
        self._cancel = cancel
        self._draft_length = draft_length
        self.reused_tokens = 0
        """Tokens of the prompt found in the cache."""
        self.prefill_seconds = 0.0
        """Until the first token's logits."""
        self.steps = 0
        """Steps after the prefill."""

    def generate(
        self,
        prompt: Sequence[int],
        healing: Healing,
        *,
        max_tokens: int,
        stop_tokens: Container[int],
        deadline: float | None = None,
    ) -> Iterator[int]:
        """Yield the most likely next token until a stop token, ``max_tokens`` or ``deadline`` (monotonic seconds).

        A stop token is not yielded. The consumer may stop iterating at any token. The first tokens spell what
        ``healing`` asks for.

        Raises:
            Cancelled: the flag was set.
            ModelError: a step failed.
        """
        started = time.perf_counter()
        self.reused_tokens = self._cache.reuse(prompt)
        logits = self._prefill(prompt)
        self.prefill_seconds = time.perf_counter() - started
        seconds = 0.0
        drafter = Drafter(prompt, room=max_tokens)
        draft: list[int] = []
        produced = 0
        while True:
            # Row i was computed after the draft's first i tokens: it counts as long as those were right.
            for row in range(len(draft) + 1):
                token = healing.choose(logits[row])
                is_right = row < len(draft) and token == draft[row]
                if not is_right:
                    self._cache.truncate(len(self._cache) - len(draft) + row)
                if token in stop_tokens:
                    return
                yield token
                drafter.append(token)
                produced += 1
                if produced == max_tokens or (deadline is not None and time.monotonic() > deadline):
                    return
                if not is_right:
                    break
            if self.steps:
                self._draft_length.learn(accepted=row, guessed=len(draft), seconds=seconds)
            draft = drafter.propose(min(self._draft_length.choose(), max_tokens - produced - 1))
            started = time.perf_counter()
            logits = self._model.step([token, *draft], self._cache, len(draft) + 1, self._cancel)
            seconds = time.perf_counter() - started
            self.steps += 1

    def _prefill(self, prompt: Sequence[int]) -> NDArray[np.float32]:
        """Compute what the cache lacks of ``prompt`` and return the logits (1, V) after it.

        In chunks: a set flag is seen between operators, and one operator on thousands of tokens takes long.
        """
        while len(prompt) - len(self._cache) > PREFILL_CHUNK:
            start = len(self._cache)
            self._model.step(prompt[start : start + PREFILL_CHUNK], self._cache, 1, self._cancel)
        return self._model.step(prompt[len(self._cache) :], self._cache, 1, self._cancel)
