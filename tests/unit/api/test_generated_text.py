"""The text of tokens while they come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.api.generated_text import GeneratedText
from unit.helpers import encode, model_tokenizer

SPELL = model_tokenizer().spell


def parts(text: str, stops: list[str]) -> tuple[list[str], str | None]:
    """Give the tokens of a text, until a stop text ends it; return what came out, and the stop text."""
    growing = GeneratedText(SPELL, stops)
    found = []
    for token in encode(text):
        found.append(growing.take(token))
        if growing.stopped_by is not None:
            break
    return [*found, growing.rest()], growing.stopped_by


@given(st.text(max_size=30), st.lists(st.text(min_size=1, max_size=4), max_size=3))
def test_parts_join_to_the_text_before_the_first_stop(text: str, stops: list[str]) -> None:
    """However tokens and stop texts overlap, and whatever the characters."""
    found, stopped_by = parts(text, stops)
    ends = [text.find(stop) for stop in stops if stop in text]
    assert "".join(found) == text[: min(ends, default=len(text))]
    assert (stopped_by is None) == (not ends)


@pytest.mark.parametrize("text", ["naïve", "日本語", "👍🏽", "é"])
def test_no_part_of_a_character_comes_out(text: str) -> None:
    """A character may have several tokens."""
    found, _ = parts(text, [])
    assert "\ufffd" not in "".join(found)
    assert "".join(found) == text


def test_beginning_of_a_stop_text_is_held_back() -> None:
    """Until it is certain that it is none."""
    growing = GeneratedText(SPELL, ["print("])
    assert [growing.take(token) for token in encode("pri")] == [""] * len(encode("pri"))
    assert growing.take(encode("x")[0]) == "prix"
