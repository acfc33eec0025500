"""KV caches: the computed tokens that are kept for one prompt and for several documents."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from midfill.inference.kv_cache import CachePool, KvCache, common_prefix

tokens = st.lists(st.integers(0, 3), max_size=12)


def holding(ids: list[int]) -> KvCache:
    """Return a cache that holds ``ids``."""
    cache = KvCache(None, 100)
    cache.append(ids)
    return cache


def logits_of(cache: KvCache) -> list[list[float]] | None:
    """Return the logits after the last token, if they are known."""
    return None if cache.logits is None else cache.logits.tolist()


@given(tokens, tokens)
def test_reuse_keeps_what_is_shared(held: list[int], wanted: list[int]) -> None:
    """The longest common prefix is kept, but at least one token is left to compute."""
    cache = holding(held)
    kept = cache.reuse(wanted)
    assert cache.tokens == held[:kept] == wanted[:kept]
    assert kept < max(len(wanted), 1)
    assert kept == common_prefix(held, wanted[:-1])


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(1, 6), tokens)
def test_logits_are_those_after_the_last_token(held: list[int], rows: int, wanted: list[int]) -> None:
    """With known logits nothing is left to compute. Logits of another place or of other tokens are never used."""
    rows = min(rows, len(held))
    cache = holding(held)
    cache.keep_logits(np.arange(len(held) - rows + 1, len(held) + 1, dtype=np.float32)[:, np.newaxis])
    remembered = range(len(held) - rows + 1, len(held) - rows + 1 + min(rows, 3))
    kept = cache.reuse(wanted)
    shared = common_prefix(held, wanted)
    assert kept == (shared if shared < len(wanted) or shared in remembered else max(shared - 1, 0))
    assert logits_of(cache) == ([[kept]] if kept in remembered else None)
    cache.append([9])
    assert cache.logits is None
    cache.truncate(kept)
    assert (cache.logits is not None) == (kept in remembered)


def test_few_logits_are_remembered() -> None:
    """Only the logits of a suggestion's first tokens are kept, so a long suggestion does not fill the memory."""
    cache = holding([1])
    for token in range(2, 40):
        cache.append([token])
        cache.keep_logits(np.zeros((1, 5), np.float32))
    known = []
    for length in range(39, 0, -1):
        cache.truncate(length)
        known += [length] if cache.logits is not None else []
    assert known == [4, 3, 2]


def test_truncate_forgets_the_end() -> None:
    """Only the first tokens are left."""
    cache = holding([1, 2, 3])
    cache.truncate(1)
    assert cache.tokens == [1]


def test_pool_goes_back_to_a_document() -> None:
    """Each document gets a cache of its own, and the first document's cache is found again."""
    pool = CachePool(lambda: KvCache(None, 100), 2)
    first = pool.pick([1, 2, 3, 4], "a")
    first.append([1, 2, 3, 4])
    second = pool.pick([5, 6, 7, 8], "b")
    second.append([5, 6, 7, 8])
    assert second is not first
    assert pool.pick([1, 2, 3, 9], "a") is first
    assert pool.pick([5, 6, 7, 9], "b") is second


def test_new_document_takes_the_least_recently_used_cache() -> None:
    """If all caches are in use, a new document gets the one that was used longest ago."""
    pool = CachePool(lambda: KvCache(None, 100), 2)
    first, second = pool.pick([1] * 8, "a"), pool.pick([2] * 8, "b")
    first.append([1] * 8)
    second.append([2] * 8)
    assert pool.pick([1] * 8, "a") is first
    assert pool.pick([3] * 8, "c") is second


def test_pool_keeps_a_document_in_its_cache() -> None:
    """A document keeps its cache when its prompt starts at another place."""
    pool = CachePool(lambda: KvCache(None, 100), 2)
    first = pool.pick([1] * 8, "a")
    first.append([1] * 8)
    assert pool.pick([2] * 8, "a") is first


def test_pool_finds_an_interrupted_prompt() -> None:
    """Its cache has nothing else to lose, however short it is; the document's own cache still comes first."""
    pool = CachePool(lambda: KvCache(None, 100), 2)
    first, second = pool.pick([1] * 8, "a"), pool.pick([2] * 8, "b")
    first.append([1])
    second.append([2] * 8)
    assert pool.pick([1] * 8, "c") is first
    assert pool.pick([1] * 8, "b") is second


def test_small_overlap_does_not_choose_a_cache() -> None:
    """Two documents do not share a cache only because every prompt begins with the same control tokens."""
    pool = CachePool(lambda: KvCache(None, 100), 2)
    first = pool.pick([0, 1, *[5] * 20], "a")
    first.append([0, 1, *[5] * 20])
    assert pool.pick([0, 1, *[6] * 20], "b") is not first
