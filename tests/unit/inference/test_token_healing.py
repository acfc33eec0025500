"""Token healing: the tokens that can spell a text again, and the choice among them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from midfill.inference.sampling import choose, greedy
from midfill.inference.token_healing import TokenHealing, Vocabulary

WORDS = ["r", "re", "ret", "return", "t", "turn", " ", "  ", "\n", "", "\ufffd", "</s>", "x\n", "u", "n"]
STOP = WORDS.index("</s>")
VOCABULARY = Vocabulary(WORDS, excluded={STOP})


def favouring(*words: str) -> NDArray[np.float32]:
    """Return logits that prefer these tokens; the first one is the most likely."""
    logits = np.zeros(len(WORDS), np.float32)
    for rank, word in enumerate(reversed(words), start=1):
        logits[WORDS.index(word)] = rank
    return logits


def chosen(healing: TokenHealing, *words: str) -> str:
    """Return the text of the token that is chosen from logits that prefer these tokens."""
    token = choose(favouring(*words), healing.allowed(), greedy).token
    healing.take(token)
    return WORDS[token]


def test_tokens_that_spell_a_text() -> None:
    """A token matches if it starts with the text, or if the text starts with it and the rest can be spelt.

    "r" does not match "ret", because no token starts with the rest "et".
    """
    assert {WORDS[token] for token in VOCABULARY.spelling("ret")} == {"re", "ret", "return"}
    assert {WORDS[token] for token in VOCABULARY.spelling(" ")} == {" ", "  "}


def test_token_that_leaves_a_dead_end_does_not_spell() -> None:
    """Only the whole token matches "aé": after "a", no token starts with "é", which is two tokens of one byte."""
    vocabulary = Vocabulary(["a", "aé", "\ufffd", "\ufffd"])
    assert vocabulary.spelling("aé").tolist() == [1]


@pytest.mark.parametrize(
    ("word", "may"),
    [("ret", True), (" ", True), ("\n", False), ("x\n", False), ("\ufffd", False), ("", False), ("</s>", False)],
)
def test_token_that_may_have_been_cut_short(word: str, may: bool) -> None:
    """A newline, a part of a character, an empty text and a control token cannot be cut short."""
    assert VOCABULARY.can_be_cut_short(WORDS.index(word)) is may


def test_text_is_spelt_before_the_choice_is_free() -> None:
    """Any token may be chosen only after the text taken back is spelt again."""
    healing = TokenHealing(VOCABULARY, "ret")
    generated = [chosen(healing, " ", "re", "ret"), chosen(healing, " ", "r", "turn"), chosen(healing, " ")]
    assert generated == ["re", "turn", " "]
    assert healing.strip("".join(generated)) == "urn "


def test_healing_of_an_empty_text_allows_any_token() -> None:
    """If nothing was taken back, the choice is free at once."""
    healing = TokenHealing(VOCABULARY, "")
    assert chosen(healing, "</s>") == "</s>"
    assert healing.strip("abc") == "abc"


def test_stop_token_does_not_spell() -> None:
    """A control token never spells a text, even if its own text would match."""
    vocabulary = Vocabulary(["<", "/s>", "</s>"], excluded={2})
    assert sorted(vocabulary.spelling("<").tolist()) == [0]


@pytest.mark.parametrize("text", ["", "r", "re"])
def test_incomplete_spelling_adds_nothing(text: str) -> None:
    """Until the text taken back is spelt again, there is no new text."""
    assert TokenHealing(VOCABULARY, "ret").strip(text) == ""


@given(
    st.lists(st.text(alphabet="abé", min_size=1, max_size=4), min_size=1, max_size=12, unique=True),
    st.data(),
)
def test_healing_spells_exactly_the_text_taken_back(words: list[str], data: st.DataObject) -> None:
    """Whatever the model prefers, a token is always allowed, and the tokens spell the text taken back first."""
    vocabulary = Vocabulary(words)
    taken_back = data.draw(st.sampled_from(words))
    healing = TokenHealing(vocabulary, taken_back)
    written = ""
    while len(written) < len(taken_back):  # each token spells a character at least
        likes = data.draw(st.lists(st.floats(0, 1, width=32), min_size=len(words), max_size=len(words)))
        token = choose(np.array(likes, np.float32), healing.allowed(), greedy).token
        healing.take(token)
        written += words[token]
    assert written.startswith(taken_back)
    assert healing.strip(written) == written[len(taken_back) :]
