"""Texts that are kept as one long text come back as they were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.inference.token_texts import TokenTexts


@given(st.lists(st.text(max_size=5)))
def test_texts_come_back(texts: list[str]) -> None:
    """Also empty ones, and those with any characters."""
    kept = TokenTexts(texts)
    assert [kept[number] for number in range(len(kept))] == texts
    assert kept.newlines().tolist() == [text.count("\n") for text in texts]


@pytest.mark.parametrize("number", [-1, 2])
def test_there_are_no_others(number: int) -> None:
    """A number that has no text is a mistake."""
    with pytest.raises(IndexError):
        TokenTexts(["a", "b"])[number]
