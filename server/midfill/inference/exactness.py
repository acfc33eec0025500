"""Check on the real machine that the split of a prompt into steps does not change its logits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from midfill.common.cancel import CancelFlag
from midfill.inference.kv_cache import KvCache
from midfill.inference.onnx_model import LONG_PAST, Model

TOKENS = 13
"""Length of the step that is split: more than a block of rows, and not a whole number of them."""
_CUTS = (1, 5, 12)
_PASTS = (3, 130, LONG_PAST)
"""Numbers of tokens before the step: less than a block, more than a chunk, a long past."""


def differing_splits(
    model: Model, context: int, pasts: Sequence[int] = _PASTS, cuts: Sequence[int] = _CUTS
) -> list[tuple[int, int]]:
    """Compute a step whole and as two steps, and compare the logits bit by bit.

    The tokens before the step are not computed: what the cache holds for them does not matter here.

    Args:
        model: the model.
        context: maximum number of tokens that the model takes.
        pasts: numbers of tokens before the step; those that ``context`` has no room for are left out.
        cuts: numbers of tokens of the first of the two steps, 1 to ``TOKENS`` - 1.

    Returns:
        Each past and cut for which the logits differ. None is what drafts and the reuse of a cache need.

    Raises:
        ModelError: a step failed.
    """
    fitting = [past for past in pasts if past + TOKENS <= context]
    cache = model.new_cache(max(fitting, default=0) + TOKENS)
    return [(past, cut) for past in fitting for cut in _differing_cuts(model, cache, past, cuts)]


def _differing_cuts(model: Model, cache: KvCache, past: int, cuts: Sequence[int]) -> list[int]:
    ids = range(1, TOKENS + 1)  # any tokens
    flag = CancelFlag()
    cache.truncate(0)
    cache.append([0] * past)
    whole = model.step(ids, cache, TOKENS, flag)
    differing = []
    for cut in cuts:
        cache.truncate(past)
        parts = [model.step(part, cache, len(part), flag) for part in (ids[:cut], ids[cut:])]
        if not np.array_equal(whole, np.concatenate(parts)):
            differing.append(cut)
    return differing
