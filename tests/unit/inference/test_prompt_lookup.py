"""Prompt lookup: drafts found in the text and in the corpus, and the length of drafts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.inference.prompt_lookup import SEPARATOR, DraftLength, PromptLookup


def corpus_of(*texts: list[int]) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """Return a corpus of these texts."""
    return np.array([token for text in texts for token in (*text, SEPARATOR)], np.int32)


def test_draft_repeats_what_followed() -> None:
    """The draft is the tokens after the latest place of the last two tokens."""
    lookup = PromptLookup([1, 2, 3, 4, 5, 9, 1, 2], 0)
    assert lookup.propose(3) == [3, 4, 5]


def test_longer_match_wins() -> None:
    """A match of the last three tokens wins over a later match of the last two."""
    lookup = PromptLookup([7, 1, 2, 30, 8, 1, 2, 40, 7, 1, 2], 0)
    assert lookup.propose(1) == [30]


def test_no_match_gives_no_draft() -> None:
    """If the last two tokens occur nowhere else, there is no draft."""
    assert PromptLookup([1, 2, 3], 0).propose(4) == []
    assert PromptLookup([], 0).propose(4) == []


def test_appended_tokens_are_searched() -> None:
    """Decoded tokens are searched like the prompt."""
    lookup = PromptLookup([1, 2], 3)
    for token in (3, 1, 2):
        lookup.append(token)
    assert lookup.propose(2) == [3, 1]


def test_corpus_is_searched() -> None:
    """A draft may come from a text of the corpus, and ends where that text ends."""
    lookup = PromptLookup([8, 9, 1, 2], 0, corpus_of([5, 1, 2, 3, 4], [6, 7]))
    assert lookup.propose(8) == [3, 4]


def test_prompt_wins_over_a_match_of_the_same_length() -> None:
    """The corpus gives the draft only if its match is longer than the one in the prompt."""
    text = [1, 2, 30, 7, 1, 2]
    assert PromptLookup(text, 0, corpus_of([8, 1, 2, 40])).propose(1) == [30]
    assert PromptLookup(text, 0, corpus_of([7, 1, 2, 40])).propose(1) == [40]


def test_last_text_of_the_corpus_wins() -> None:
    """Of matches of the same length the last one is taken, because the most relevant text is last."""
    assert PromptLookup([1, 2], 0, corpus_of([1, 2, 3], [1, 2, 4])).propose(1) == [4]


def test_match_at_the_end_of_a_text_gives_no_draft() -> None:
    """A match counts only if its own text continues after it."""
    assert PromptLookup([1, 2], 0, corpus_of([1, 2], [3, 4])).propose(2) == []
    assert PromptLookup([1, 2], 0, corpus_of([1, 2, 5], [9, 1, 2])).propose(2) == [5]


def test_of_thousands_of_places_the_latest_are_compared() -> None:
    """In a table of zeros, a longer match is found near the end but not far before it, so that lookup stays fast."""
    zeros = [7, 0, 0, 3, *[0] * 20_000]
    assert PromptLookup([7, 0, 0], 0, corpus_of(zeros)).propose(1) == [0]
    assert PromptLookup([7, 0, 0], 0, corpus_of([*zeros, 7, 0, 0, 4])).propose(1) == [4]


def search_slowly(tokens: list[int], texts: list[list[int]], limit: int) -> list[list[int]]:
    """Return what followed the longest runs of at least two tokens; nothing follows where there is no such run."""
    found: dict[int, list[list[int]]] = {}
    for text in (tokens, *texts):
        for place in range(2, len(text)):
            length = 0
            while length < min(8, place, len(tokens)) and text[place - 1 - length] == tokens[-1 - length]:
                length += 1
            found.setdefault(length, []).append(text[place : place + limit])
    longest = max(found, default=0)
    return found[longest] if longest >= 2 else [[]]


@given(
    st.lists(st.integers(0, 3), max_size=40),
    st.lists(st.lists(st.integers(0, 3), max_size=20), max_size=3),
    st.integers(0, 10),
)
def test_draft_follows_the_longest_match(tokens: list[int], texts: list[list[int]], limit: int) -> None:
    """A simple search of all texts finds the same draft, and no longer match that has a continuation."""
    proposal = PromptLookup(tokens, 0, corpus_of(*texts)).propose(limit)
    assert proposal in search_slowly(tokens, texts, limit)


def test_length_follows_acceptance() -> None:
    """Drafts grow while they are accepted, and shrink to one token when they are rejected."""
    length = DraftLength()
    first = length.choose()
    for _ in range(20):
        length.learn(16, 16, 16, 0.070)
    assert length.choose() == 16 > first
    for _ in range(80):
        length.learn(4, 1, 0, 0.050)
    assert length.choose() == 1


def test_unchecked_draft_tokens_do_not_count() -> None:
    """If the consumer stops after one token of a draft, the rest is neither accepted nor rejected."""
    length = DraftLength()
    before = length.acceptance
    length.learn(16, 0, 0, 0.070)
    assert length.acceptance == before
    length.learn(16, 1, 1, 0.070)
    assert length.acceptance > before


@pytest.mark.parametrize("speed", [0.02, 1.0, 50.0], ids=["fast", "usual", "slow"])
def test_length_follows_cost_on_any_machine(speed: float) -> None:
    """After a few steps, drafts are long if one more token is cheap, and short if it is not."""

    def settle(cost: float) -> int:
        length = DraftLength()
        for _ in range(12):
            drafted = length.choose()
            length.learn(drafted, drafted, 3 * drafted // 4, speed * 0.04 * (1 + cost * drafted))
            length.learn(0, 0, 0, speed * 0.04)  # a step for which no draft was found
        return length.choose()

    assert settle(0.01) > settle(0.1) > settle(1.0) == 1


def test_first_length_does_not_depend_on_how_fast_steps_are() -> None:
    """Steps with drafts of one length only scale the assumed cost of a draft token."""

    def choose(seconds: float) -> int:
        length = DraftLength()
        for _ in range(8):
            length.learn(4, 2, 1, seconds)
        return length.choose()

    assert choose(0.01) == choose(1.0) > 1


def test_time_of_a_step_with_other_work_does_not_count() -> None:
    """From a step that also computed a prompt, the acceptance is learnt but not the cost."""
    length, other = DraftLength(), DraftLength()
    for _ in range(8):
        length.learn(0, 0, 0, 0.04)
        other.learn(0, 0, 0, 0.04)
        other.learn(1, 0, 0, None)
    assert length.choose() == other.choose()
    before = length.acceptance
    length.learn(4, 4, 4, None)
    assert length.acceptance > before


def test_drafts_can_be_turned_off() -> None:
    """A maximum of 0 tokens always gives the length 0."""
    length = DraftLength(0)
    length.learn(0, 0, 0, 0.04)
    assert length.choose() == 0


def test_steps_of_no_measurable_time_are_allowed() -> None:
    """If the clock is too coarse to measure a step, the length stays within its limits."""
    length = DraftLength()
    for drafted in (0, 16):
        length.learn(drafted, 0, 0, 0.0)
    assert 1 <= length.choose() <= 16
