"""Guesses looked up in the text, and how long they should be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from midfill.drafts import Drafter, DraftLength


def test_repeats_what_followed() -> None:
    """The tokens after the latest place of the last two are proposed."""
    drafter = Drafter([1, 2, 3, 4, 5, 9, 1, 2], 0)
    assert drafter.propose(3) == [3, 4, 5]


def test_longer_run_wins() -> None:
    """Where the last three tokens stood before, that place counts more than a later one of the last two."""
    drafter = Drafter([7, 1, 2, 30, 8, 1, 2, 40, 7, 1, 2], 0)
    assert drafter.propose(1) == [30]


def test_unknown_run_proposes_nothing() -> None:
    """A new pair of tokens has no continuation."""
    assert Drafter([1, 2, 3], 0).propose(4) == []
    assert Drafter([], 0).propose(4) == []


def test_appended_tokens_count() -> None:
    """What is decoded is looked up like the prompt."""
    drafter = Drafter([1, 2], 3)
    for token in (3, 1, 2):
        drafter.append(token)
    assert drafter.propose(2) == [3, 1]


@given(st.lists(st.integers(0, 3), max_size=40), st.integers(0, 10))
def test_proposal_followed_the_same_run(tokens: list[int], limit: int) -> None:
    """Whatever is proposed begins with a token that did follow the last two somewhere before."""
    proposal = Drafter(tokens, 0).propose(limit)
    assert len(proposal) <= limit
    if proposal:
        triples = list(zip(tokens, tokens[1:], tokens[2:], strict=False))
        assert (*tokens[-2:], proposal[0]) in triples


def test_length_follows_acceptance() -> None:
    """Guesses grow while they are right and shrink to one when they are wrong."""
    length = DraftLength()
    first = length.choose()
    for _ in range(20):
        length.learn(16, 16, 0.070)
    assert length.choose() == 16 > first
    for _ in range(80):
        length.learn(0, 4, 0.050)
    assert length.choose() == 1


def test_length_follows_cost() -> None:
    """At the same acceptance, guesses are longer where one more costs little than where it costs a step."""

    def choose(seconds_per_guess: float) -> int:
        length = DraftLength()
        for guessed in (1, 4, 8, 16) * 16:
            length.learn(guessed // 2, guessed, 0.04 + seconds_per_guess * guessed)
        return length.choose()

    assert choose(0.001) > choose(0.04) == 1
