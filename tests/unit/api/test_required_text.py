"""The text that an answer must begin with, as clients ask for it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.api.required_text import literal_before_anything, text_spelt_by
from unit.helpers import manifest, model_tokenizer

VOCABULARY = model_tokenizer().vocabulary


@given(st.text(max_size=40))
def test_escaped_text_is_read_back(text: str) -> None:
    """As Python escapes it."""
    assert literal_before_anything(re.escape(text) + r"[\s\S]*") == text


OTHER = ["", "a", "a|b", "a.*", "a\\", *(f"{each}[\\s\\S]*" for each in (r"\d", "a+", "(a)", "[ab]"))]


@pytest.mark.parametrize("pattern", OTHER)
def test_other_patterns_are_refused(pattern: str) -> None:
    """They are no text."""
    assert literal_before_anything(pattern) is None


@given(st.sampled_from(range(manifest().vocabulary)).filter(VOCABULARY.can_be_cut_short), st.integers(0, 9))
def test_text_is_found_by_the_tokens_that_may_begin_it(token: int, cut: int) -> None:
    """It need not be the same text, but it allows the same tokens."""
    text = VOCABULARY.text(token)
    allowed = [int(each) for each in VOCABULARY.spelling(text[: max(len(text) - cut, 1)])]
    found = text_spelt_by(allowed, VOCABULARY)
    assert found is not None
    assert {int(each) for each in VOCABULARY.spelling(found)} == set(allowed)


@pytest.mark.parametrize("allowed", [[], [5, 9]])
def test_other_tokens_spell_no_text(allowed: list[int]) -> None:
    """For example two that have nothing in common."""
    assert text_spelt_by(allowed, VOCABULARY) is None
