"""The text that an answer must begin with, as clients ask for it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.api.required_text import literal_before_anything, text_spelt_by
from unit.helpers import model_tokenizer

VOCABULARY = model_tokenizer().vocabulary


@given(st.text(max_size=40))
def test_escaped_text_is_read_back(text: str) -> None:
    """As Python escapes it."""
    assert literal_before_anything(re.escape(text) + r"[\s\S]*") == text


@pytest.mark.parametrize(
    "pattern", ["a", "a|b", r"a.*", r"\d[\s\S]*", r"a+[\s\S]*", r"(a)[\s\S]*", "a\\", "", r"[ab][\s\S]*"]
)
def test_other_patterns_are_refused(pattern: str) -> None:
    """They are no text."""
    assert literal_before_anything(pattern) is None


@pytest.mark.parametrize("text", ["ret", "return", " left", "    ", "x", "pa", "def add"])
def test_text_is_found_by_the_tokens_that_may_begin_it(text: str) -> None:
    """It need not be the same text, but it allows the same tokens."""
    allowed = [int(token) for token in VOCABULARY.spelling(text)]
    found = text_spelt_by(allowed, VOCABULARY)
    assert found is not None
    assert {int(token) for token in VOCABULARY.spelling(found)} == set(allowed)


@pytest.mark.parametrize("allowed", [[], [5, 9], [5]])
def test_other_tokens_spell_no_text(allowed: list[int]) -> None:
    """For example two that have nothing in common."""
    assert text_spelt_by(allowed, VOCABULARY) is None
