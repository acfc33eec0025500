"""Token healing: the tokens that may spell a text again, and the choice among them."""

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
    """Make logits that like these tokens best, the first one most."""
    logits = np.zeros(len(WORDS), np.float32)
    for rank, word in enumerate(reversed(words), start=1):
        logits[WORDS.index(word)] = rank
    return logits


def chosen(healing: TokenHealing, *words: str) -> str:
    """Choose by logits that like these tokens best."""
    token = choose(favouring(*words), healing.allowed(), greedy).token
    healing.take(token)
    return WORDS[token]


def test_tokens_that_spell_a_text() -> None:
    """They begin with the text, or are how it begins and leave what can be spelt ("r" would leave "et")."""
    assert {WORDS[token] for token in VOCABULARY.spelling("ret")} == {"re", "ret", "return"}
    assert {WORDS[token] for token in VOCABULARY.spelling(" ")} == {" ", "  "}


def test_token_that_leaves_a_dead_end_does_not_spell() -> None:
    """After "a" nothing could spell "é", which alone is two tokens of a byte each: only the whole token can."""
    vocabulary = Vocabulary(["a", "aé", "\ufffd", "\ufffd"])
    assert vocabulary.spelling("aé").tolist() == [1]


@pytest.mark.parametrize(
    ("word", "may"),
    [("ret", True), (" ", True), ("\n", False), ("x\n", False), ("\ufffd", False), ("", False), ("</s>", False)],
)
def test_token_that_may_have_been_cut_short(word: str, may: bool) -> None:
    """Not one that ends a line, is part of a character, has no text or is a control token."""
    assert VOCABULARY.can_be_cut_short(WORDS.index(word)) is may


def test_text_is_spelt_before_the_choice_is_free() -> None:
    """The likeliest token is chosen only once the text taken back is there again."""
    healing = TokenHealing(VOCABULARY, "ret")
    written = [chosen(healing, " ", "re", "ret"), chosen(healing, " ", "r", "turn"), chosen(healing, " ")]
    assert written == ["re", "turn", " "]
    assert healing.strip("".join(written)) == "urn "


def test_nothing_taken_back_is_a_free_choice_at_once() -> None:
    """Healing an empty text changes nothing."""
    healing = TokenHealing(VOCABULARY, "")
    assert chosen(healing, "</s>") == "</s>"
    assert healing.strip("abc") == "abc"


def test_stop_token_does_not_spell() -> None:
    """A control token whose text would fit is not a way to write that text."""
    vocabulary = Vocabulary(["<", "/s>", "</s>"], excluded={2})
    assert sorted(vocabulary.spelling("<").tolist()) == [0]


@pytest.mark.parametrize("text", ["", "r", "re"])
def test_text_being_spelt_adds_nothing_yet(text: str) -> None:
    """While the text taken back is not there again, there is nothing to show."""
    assert TokenHealing(VOCABULARY, "ret").strip(text) == ""


@given(
    st.lists(st.text(alphabet="abé", min_size=1, max_size=4), min_size=1, max_size=12, unique=True),
    st.data(),
)
def test_healing_spells_exactly_the_text_taken_back(words: list[str], data: st.DataObject) -> None:
    """Whatever the model likes, the tokens chosen begin with the text taken back, and never run out."""
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
