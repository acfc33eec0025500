"""Decoding with and without guesses: the same tokens, fewer steps."""

from __future__ import annotations

import time
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.cancel import CancelFlag, Cancelled
from midfill.decode import PREFILL_CHUNK, Decoder
from midfill.drafts import DraftLength
from midfill.healing import Healing, Vocabulary
from midfill.kv_cache import KvCache
from midfill.model import ScriptedModel

END = 99
PROMPT = [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2]
VOCABULARY = Vocabulary([chr(0x100 + token) for token in range(100)])
NO_HEALING = ""


class Run:
    """One decoding of a script, and what it left behind."""

    def __init__(self, script: list[int], guesses: int = 16, max_tokens: int = 32, prompt: list[int] = PROMPT) -> None:
        self.model = ScriptedModel(script, END, 100)
        self.cache = KvCache(None, 1000)
        self.decoder = Decoder(self.model, self.cache, CancelFlag(), DraftLength(guesses))
        self.tokens = list(
            self.decoder.generate(prompt, Healing(VOCABULARY, NO_HEALING), max_tokens=max_tokens, stop_tokens={END})
        )


def test_ends_at_a_stop_token() -> None:
    """The stop token itself is not part of the text."""
    assert Run([20, 21, 22]).tokens == [20, 21, 22]


def test_ends_at_the_limit() -> None:
    """No more tokens come than were asked for, and none is computed beyond them."""
    run = Run([20, 21, 22, 23], max_tokens=2)
    assert run.tokens == [20, 21]
    assert sum(run.model.steps) == len(PROMPT) + 1


def test_right_guesses_save_steps() -> None:
    """Text that stands in the prompt already is checked several tokens at a time."""
    run = Run([3, 4, 5, 6, 7, 8, 9])
    assert run.tokens == [3, 4, 5, 6, 7, 8, 9]
    assert run.decoder.steps < 7
    assert Run([3, 4, 5, 6, 7, 8, 9], guesses=0).decoder.steps == 7


@given(st.lists(st.integers(1, 6), max_size=30), st.lists(st.integers(1, 6), min_size=1, max_size=30))
def test_guesses_never_change_the_text(script: list[int], prompt: list[int]) -> None:
    """With guesses and without, the tokens are the same, whatever was repeated before."""
    assert Run(script, prompt=prompt).tokens == Run(script, guesses=0, prompt=prompt).tokens


@given(
    st.lists(st.integers(1, 3), min_size=1, max_size=3), st.lists(st.integers(1, 3), max_size=12), st.integers(1, 39)
)
def test_guesses_never_change_what_is_healed(prompt: list[int], script: list[int], taken_back: int) -> None:
    """The text taken back is spelt once, whatever is guessed, and first."""
    words = ["", *("".join(letters) for length in (1, 2, 3) for letters in product("abc", repeat=length))]
    vocabulary = Vocabulary(words)

    def tokens(guesses: int) -> list[int]:
        model = ScriptedModel([1 + token for token in script], 0, len(words))
        decoder = Decoder(model, KvCache(None, 100), CancelFlag(), DraftLength(guesses))
        healing = Healing(vocabulary, words[taken_back])
        return list(decoder.generate(prompt * 4, healing, max_tokens=20, stop_tokens={0}))

    assert tokens(16) == tokens(0)
    assert "".join(words[token] for token in tokens(16)).startswith(words[taken_back])


@given(st.lists(st.integers(1, 6), max_size=30))
def test_cache_holds_what_was_said(script: list[int]) -> None:
    """Wrong guesses leave nothing in the cache: it holds the prompt and what was decoded, but for the last token."""
    run = Run(script)
    said = [*PROMPT, *run.tokens]
    assert run.cache.tokens in (said, said[:-1])


def test_long_prompt_is_computed_in_chunks() -> None:
    """No step has more of a prompt than a chunk, so that a newer request does not wait for all of it."""
    run = Run([20], prompt=[5] * (2 * PREFILL_CHUNK + 3))
    assert run.tokens == [20]
    assert run.model.steps[:3] == [PREFILL_CHUNK, PREFILL_CHUNK, 3]


def test_second_run_reuses_the_first() -> None:
    """A prompt that goes on where the last one ended costs only what is new."""
    run = Run([20, 21])
    decoder = Decoder(run.model, run.cache, CancelFlag(), DraftLength(0))
    prompt = [*PROMPT, 20, 30]
    next(decoder.generate(prompt, Healing(VOCABULARY, NO_HEALING), max_tokens=1, stop_tokens=()))
    assert decoder.reused_tokens == len(PROMPT) + 1


def test_consumer_may_leave() -> None:
    """Stopping in the middle of right guesses leaves a cache that the next run can use."""
    run = Run([])
    model = ScriptedModel([3, 4, 5, 6, 7, 8], END, 100)
    decoder = Decoder(model, run.cache, CancelFlag(), DraftLength(16))
    tokens = decoder.generate(PROMPT, Healing(VOCABULARY, NO_HEALING), max_tokens=8, stop_tokens={END})
    assert [next(tokens), next(tokens)] == [3, 4]
    tokens.close()
    assert run.cache.tokens[: len(PROMPT) + 1] == [*PROMPT, 3]


def test_deadline_keeps_what_there_is() -> None:
    """A deadline that has passed ends the text after the token at hand."""
    decoder = Decoder(ScriptedModel([20, 21], END, 100), KvCache(None, 100), CancelFlag(), DraftLength(0))
    tokens = decoder.generate(
        PROMPT, Healing(VOCABULARY, NO_HEALING), max_tokens=9, stop_tokens={END}, deadline=time.monotonic() - 1
    )
    assert list(tokens) == [20]


def test_cancelled_between_steps() -> None:
    """A flag set while a token is being looked at stops the next step."""
    flag = CancelFlag()
    decoder = Decoder(ScriptedModel([20, 21], END, 100), KvCache(None, 100), flag, DraftLength(0))
    tokens = decoder.generate(PROMPT, Healing(VOCABULARY, NO_HEALING), max_tokens=9, stop_tokens={END})
    assert next(tokens) == 20
    flag.set("superseded")
    with pytest.raises(Cancelled, match="superseded"):
        next(tokens)
