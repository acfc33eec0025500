"""Guesses looked up in the text and elsewhere, and how long they should be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.inference.prompt_lookup import SEPARATOR, DraftLength, PromptLookup


def elsewhere(*texts: list[int]) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """Join texts as the drafter wants them."""
    return np.array([token for text in texts for token in (*text, SEPARATOR)], np.int32)


def test_repeats_what_followed() -> None:
    """The tokens after the latest place of the last two are proposed."""
    drafter = PromptLookup([1, 2, 3, 4, 5, 9, 1, 2], 0)
    assert drafter.propose(3) == [3, 4, 5]


def test_longer_run_wins() -> None:
    """Where the last three tokens stood before, that place counts more than a later one of the last two."""
    drafter = PromptLookup([7, 1, 2, 30, 8, 1, 2, 40, 7, 1, 2], 0)
    assert drafter.propose(1) == [30]


def test_unknown_run_proposes_nothing() -> None:
    """A new pair of tokens has no continuation."""
    assert PromptLookup([1, 2, 3], 0).propose(4) == []
    assert PromptLookup([], 0).propose(4) == []


def test_appended_tokens_count() -> None:
    """What is decoded is looked up like the prompt."""
    drafter = PromptLookup([1, 2], 3)
    for token in (3, 1, 2):
        drafter.append(token)
    assert drafter.propose(2) == [3, 1]


def test_other_texts_are_looked_up() -> None:
    """What the prompt does not know, another text may; a guess ends where that text ends."""
    drafter = PromptLookup([8, 9, 1, 2], 0, elsewhere([5, 1, 2, 3, 4], [6, 7]))
    assert drafter.propose(8) == [3, 4]


def test_prompt_comes_first_at_the_same_length() -> None:
    """The text's own continuation is guessed, and another's only where it matches more."""
    text = [1, 2, 30, 7, 1, 2]
    assert PromptLookup(text, 0, elsewhere([8, 1, 2, 40])).propose(1) == [30]
    assert PromptLookup(text, 0, elsewhere([7, 1, 2, 40])).propose(1) == [40]


def test_latest_of_the_other_texts_wins() -> None:
    """Of matches of one length the last is taken: the most telling text stands last."""
    assert PromptLookup([1, 2], 0, elsewhere([1, 2, 3], [1, 2, 4])).propose(1) == [4]


def test_run_at_the_end_of_another_text_says_nothing() -> None:
    """What follows there is another text's beginning; an earlier place that has a continuation counts."""
    assert PromptLookup([1, 2], 0, elsewhere([1, 2], [3, 4])).propose(2) == []
    assert PromptLookup([1, 2], 0, elsewhere([1, 2, 5], [9, 1, 2])).propose(2) == [5]


def test_of_thousands_of_places_the_latest_are_compared() -> None:
    """A table of zeros does not make look-ups slow: a longer run far back is given up, one that is near is found."""
    zeros = [7, 0, 0, 3, *[0] * 20_000]
    assert PromptLookup([7, 0, 0], 0, elsewhere(zeros)).propose(1) == [0]
    assert PromptLookup([7, 0, 0], 0, elsewhere([*zeros, 7, 0, 0, 4])).propose(1) == [4]


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
def test_proposal_followed_the_longest_run(tokens: list[int], texts: list[list[int]], limit: int) -> None:
    """A slow search of all texts finds no longer run that has a continuation, and finds that of the proposal."""
    proposal = PromptLookup(tokens, 0, elsewhere(*texts)).propose(limit)
    assert proposal in search_slowly(tokens, texts, limit)


def test_length_follows_acceptance() -> None:
    """Guesses grow while they are right and shrink to one when they are wrong."""
    length = DraftLength()
    first = length.choose()
    for _ in range(20):
        length.learn(16, 16, 16, 0.070)
    assert length.choose() == 16 > first
    for _ in range(80):
        length.learn(4, 1, 0, 0.050)
    assert length.choose() == 1


def test_guess_that_nobody_looked_at_is_neither_right_nor_wrong() -> None:
    """A consumer that leaves after one token of a draft says nothing of the rest."""
    length = DraftLength()
    before = length.acceptance
    length.learn(16, 0, 0, 0.070)
    assert length.acceptance == before
    length.learn(16, 1, 1, 0.070)
    assert length.acceptance > before


@pytest.mark.parametrize("speed", [0.02, 1.0, 50.0], ids=["fast", "usual", "slow"])
def test_length_follows_cost_on_any_machine(speed: float) -> None:
    """Within a suggestion or two, guesses are long where one more is cheap, and short where it is not."""

    def settle(cost: float) -> int:
        length = DraftLength()
        for _ in range(12):
            guessed = length.choose()
            length.learn(guessed, guessed, 3 * guessed // 4, speed * 0.04 * (1 + cost * guessed))
            length.learn(0, 0, 0, speed * 0.04)  # nothing was found to guess
        return length.choose()

    assert settle(0.01) > settle(0.1) > settle(1.0) == 1


def test_first_guess_does_not_depend_on_how_fast_steps_are() -> None:
    """Steps of one length scale the assumed cost of a guess; they do not replace it."""

    def choose(seconds: float) -> int:
        length = DraftLength()
        for _ in range(8):
            length.learn(4, 2, 1, seconds)
        return length.choose()

    assert choose(0.01) == choose(1.0) > 1


def test_step_that_had_other_work_tells_no_cost() -> None:
    """What was right counts; the time, which was mostly the prompt's, does not."""
    length, other = DraftLength(), DraftLength()
    for _ in range(8):
        length.learn(0, 0, 0, 0.04)
        other.learn(0, 0, 0, 0.04)
        other.learn(1, 0, 0, None)
    assert length.choose() == other.choose()
    before = length.acceptance
    length.learn(4, 4, 4, None)
    assert length.acceptance > before


def test_no_guesses_ever() -> None:
    """0 stays 0, whatever was right."""
    length = DraftLength(0)
    length.learn(0, 0, 0, 0.04)
    assert length.choose() == 0


def test_steps_that_take_no_time_are_no_fault() -> None:
    """A clock too coarse to see a step leaves a choice within the limits."""
    length = DraftLength()
    for guessed in (0, 16):
        length.learn(guessed, 0, 0, 0.0)
    assert 1 <= length.choose() <= 16
