"""The check of a model whose logits depend on the split, and of one whose logits do not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from midfill.common.cancel import CancelFlag
from midfill.inference.exactness import TOKENS, differing_splits
from midfill.inference.kv_cache import KvCache


class RoundingModel:
    """A model whose logits differ in a last bit where a step begins ``off`` tokens after a multiple of four."""

    def __init__(self, off: int) -> None:
        self._off = off

    def new_cache(self, capacity: int) -> KvCache:
        """Return a cache without buffers."""
        return KvCache(None, capacity)

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        """Return the number of tokens before each row as its logits."""
        start = len(cache)
        cache.append(ids)
        logits = np.arange(start, len(cache), dtype=np.float32)[:, None]
        return np.nextafter(logits, np.float32(1e9)) if start % 4 == self._off else logits


def test_exact_model_has_no_differing_split() -> None:
    """Nothing is found."""
    assert differing_splits(RoundingModel(off=-1), 4096) == []


@pytest.mark.parametrize(
    ("off", "found"), [(1, [(0, 1), (0, 5)]), (2, [(0, 2)]), (0, [(0, 1), (0, 2), (0, 5)])], ids=["1", "2", "whole"]
)
def test_differing_bits_are_found(off: int, found: list[tuple[int, int]]) -> None:
    """Each split that changes a bit is named by the tokens before the step and those of its first part.

    A step that the context has no room for is left out.
    """
    assert differing_splits(RoundingModel(off), TOKENS, pasts=(0, 1), cuts=(1, 2, 5)) == found
