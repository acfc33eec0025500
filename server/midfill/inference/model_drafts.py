"""Drafts that the model itself writes, with its weights in 4 bits, where nothing can be looked up.

A step of a single token waits until all weights were read. In 4 bits they are half as many bytes. So a few cheap steps
propose tokens, and one step of the model in 8 bits checks them all (self-speculative decoding, arXiv:2309.08168). A
draft ends at a token that the 4-bit model is not sure of: it is seldom accepted, and no token after it is.

Both models write keys and values into the same cache. Those of a draft are overwritten when it is checked.
"""

from __future__ import annotations

from collections.abc import Container

from midfill.common.cancel import CancelFlag
from midfill.inference.kv_cache import KvCache
from midfill.inference.onnx_model import Model
from midfill.inference.prompt_lookup import DraftLength
from midfill.inference.sampling import greedy, probability

_MAX_TOKENS = 10
_MIN_PROBABILITY = 0.6
"""A draft ends after a token that is less probable. At 0.6, 99 of 100 tokens before it are accepted."""
_ASSUMED_COST = 0.5
"""Assumed time of one more draft token, divided by the time of a step without a draft. Measured steps replace it."""


class ModelDrafts:
    """Writes drafts, and learns how long they should be on this machine. None is written where none pays."""

    def __init__(self, model: Model, max_tokens: int) -> None:
        """Draft with ``model``.

        Args:
            model: uses the caches of the model that checks the drafts.
            max_tokens: maximum length of a draft.
        """
        self._model = model
        self.length = DraftLength(min(max_tokens, _MAX_TOKENS), _ASSUMED_COST, may_pause=True)

    def propose(
        self, last: int, cache: KvCache, limit: int, stop_tokens: Container[int], cancel: CancelFlag
    ) -> list[int]:
        """Return a draft of up to ``limit`` tokens after ``last``, which is not in ``cache`` yet.

        The cache is unchanged, whatever happens.

        Raises:
            Cancelled: ``cancel`` was set.
            ModelError: a step failed.
        """
        start = len(cache)
        draft: list[int] = []
        try:
            for _ in range(min(self.length.choose(), limit)):
                [logits] = self._model.step([last], cache, 1, cancel)
                last = greedy(logits)
                draft.append(last)
                if last in stop_tokens or probability(logits, last) < _MIN_PROBABILITY:
                    break
        finally:
            cache.truncate(start)
        return draft
