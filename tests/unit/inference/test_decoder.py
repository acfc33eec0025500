"""Decoding with and without drafts: the same tokens in fewer steps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from midfill.common.cancel import CancelFlag, Cancelled
from midfill.inference.decoder import PREFILL_CHUNK, Decoder
from midfill.inference.kv_cache import KvCache
from midfill.inference.onnx_model import ScriptedModel
from midfill.inference.prompt_lookup import SEPARATOR, DraftLength
from midfill.inference.sampling import Choice, Sampler, Sampling
from midfill.inference.token_generator import Deadline
from midfill.inference.token_healing import TokenHealing, Vocabulary
from unit.helpers import MarkovModel

END = 99
PROMPT = [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2]
VOCABULARY = Vocabulary([chr(0x100 + token) for token in range(100)])
NO_HEALING = ""


class Run:
    """One decoding of a script: its tokens, and the model, cache and decoder afterwards."""

    def __init__(self, script: list[int], drafts: int = 16, max_tokens: int = 32, prompt: list[int] = PROMPT) -> None:
        """Decode ``script`` with drafts of up to ``drafts`` tokens."""
        self.model = ScriptedModel(script, END, 100)
        self.cache = KvCache(None, 1000)
        self.decoder = Decoder(self.model, self.cache, CancelFlag(), DraftLength(drafts))
        self.tokens = [
            choice.token
            for choice in self.decoder.generate(
                prompt, TokenHealing(VOCABULARY, NO_HEALING), max_tokens=max_tokens, stop_tokens={END}
            )
        ]


def test_ends_at_a_stop_token() -> None:
    """The stop token itself is not part of the text."""
    assert Run([20, 21, 22]).tokens == [20, 21, 22]


def test_ends_at_the_limit() -> None:
    """No more than ``max_tokens`` tokens are generated, and none is computed after them."""
    run = Run([20, 21, 22, 23], max_tokens=2)
    assert run.tokens == [20, 21]
    assert sum(run.model.steps) == len(PROMPT) + 1


def test_accepted_drafts_save_steps() -> None:
    """Text that the prompt already contains is checked several tokens at a time."""
    run = Run([3, 4, 5, 6, 7, 8, 9])
    assert run.tokens == [3, 4, 5, 6, 7, 8, 9]
    assert run.decoder.steps < 7
    assert Run([3, 4, 5, 6, 7, 8, 9], drafts=0).decoder.steps == 7


@given(st.lists(st.integers(1, 6), max_size=30), st.lists(st.integers(1, 6), min_size=1, max_size=30))
def test_drafts_never_change_the_text(script: list[int], prompt: list[int]) -> None:
    """The tokens are the same with drafts and without."""
    assert Run(script, prompt=prompt).tokens == Run(script, drafts=0, prompt=prompt).tokens


@given(
    st.lists(st.integers(1, 3), min_size=1, max_size=3), st.lists(st.integers(1, 3), max_size=12), st.integers(1, 39)
)
def test_drafts_never_change_a_healed_text(prompt: list[int], script: list[int], taken_back: int) -> None:
    """With drafts and without, the text taken back is spelt first, and the tokens are the same."""
    words = ["", *("".join(letters) for length in (1, 2, 3) for letters in product("abc", repeat=length))]
    vocabulary = Vocabulary(words)

    def tokens(drafts: int) -> list[int]:
        model = ScriptedModel([1 + token for token in script], 0, len(words))
        decoder = Decoder(model, KvCache(None, 100), CancelFlag(), DraftLength(drafts))
        healing = TokenHealing(vocabulary, words[taken_back])
        return [c.token for c in decoder.generate(prompt * 4, healing, max_tokens=20, stop_tokens={0})]

    assert tokens(16) == tokens(0)
    assert "".join(words[token] for token in tokens(16)).startswith(words[taken_back])


@given(st.lists(st.integers(1, 6), max_size=30))
def test_cache_holds_no_rejected_drafts(script: list[int]) -> None:
    """The cache holds the prompt and the decoded tokens, with or without the last one."""
    run = Run(script)
    tokens = [*PROMPT, *run.tokens]
    assert run.cache.tokens in (tokens, tokens[:-1])


def test_long_prompt_is_computed_in_chunks() -> None:
    """A step has at most one chunk of a prompt, so a newer request need not wait for all; only the last has logits."""
    run = Run([20], prompt=[5] * (2 * PREFILL_CHUNK + 3))
    assert run.tokens == [20]
    assert run.model.steps[:3] == [PREFILL_CHUNK, PREFILL_CHUNK, 3]
    assert run.model.rows[:3] == [0, 0, 1]


def test_second_run_reuses_the_first() -> None:
    """Of a prompt that continues the last one, only the new tokens are computed."""
    run = Run([20, 21])
    decoder = Decoder(run.model, run.cache, CancelFlag(), DraftLength(0))
    prompt = [*PROMPT, 20, 30]
    next(decoder.generate(prompt, TokenHealing(VOCABULARY, NO_HEALING), max_tokens=1, stop_tokens=()))
    assert decoder.stats.reused_tokens == len(PROMPT) + 1


def test_consumer_may_stop_within_a_draft() -> None:
    """After a stop within an accepted draft, the next run can use the cache."""
    model, cache = ScriptedModel([3, 4, 5, 6, 7, 8], END, 100), KvCache(None, 100)
    decoder = Decoder(model, cache, CancelFlag(), DraftLength(16))
    tokens = decoder.generate(PROMPT, TokenHealing(VOCABULARY, NO_HEALING), max_tokens=8, stop_tokens={END})
    assert [next(tokens).token, next(tokens).token] == [3, 4]
    tokens.close()
    assert cache.tokens[: len(PROMPT) + 1] == [*PROMPT, 3]


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class SlowModel(ScriptedModel):
    """A scripted model, each of whose steps takes one second."""

    def __init__(self, script: list[int], clock: Clock) -> None:
        super().__init__(script, END, 100)
        self._clock = clock

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        self._clock.now += 1.0
        return super().step(ids, cache, rows, cancel)


def until(deadline: Deadline, clock: Clock, script: list[int], prompt: list[int] = PROMPT) -> list[int]:
    """Return the tokens decoded before a deadline, at one second a step."""
    decoder = Decoder(SlowModel(script, clock), KvCache(None, 5000), CancelFlag(), DraftLength(0))
    choices = decoder.generate(
        prompt, TokenHealing(VOCABULARY, NO_HEALING), max_tokens=9, stop_tokens={END}, deadline=deadline
    )
    return [choice.token for choice in choices]


def test_text_ends_at_the_deadline() -> None:
    """When the deadline passes, the text ends after the current token."""
    clock = Clock()
    assert until(Deadline(2.5, clock), clock, [20, 21, 22, 23, 24, 25]) == [20, 21, 22, 23]


def test_prefill_of_a_long_prompt_does_not_use_up_the_deadline() -> None:
    """The time counts from the first token's logits, however long the prefill took."""
    clock = Clock()
    assert until(Deadline(2.5, clock), clock, [20, 21, 22], [5] * (PREFILL_CHUNK * 10)) == [20, 21, 22]
    assert clock.now >= 110


def test_deadline_is_shared() -> None:
    """A second text with the same deadline gets only the rest of the time."""
    clock = Clock()
    deadline = Deadline(2.5, clock)
    assert until(deadline, clock, [20, 21]) == [20, 21]
    assert until(deadline, clock, [20, 21, 22, 23]) == [20]
    assert deadline.has_passed


def test_deadline_of_none_never_passes() -> None:
    """None sets no limit."""
    clock = Clock()
    deadline = Deadline(None, clock)
    deadline.start()
    clock.now += 1e9
    assert not deadline.has_passed


class Superseded(ScriptedModel):
    """A model during each of whose steps a keystroke supersedes the request."""

    def __init__(self, flag: CancelFlag, *, urgent: bool) -> None:
        super().__init__([20], END, 100)
        self._flag = flag
        self._urgent = urgent

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        self._flag.set("superseded", urgent=self._urgent)
        return super().step(ids, cache, rows, cancel)


@pytest.mark.parametrize(("urgent", "kept"), [(False, PREFILL_CHUNK), (True, 0)])
def test_superseded_chunk_is_finished_unless_that_is_urgent(urgent: bool, kept: int) -> None:
    """Only an urgent flag interrupts a chunk; otherwise a fast typist would never get a suggestion."""
    flag, cache = CancelFlag(urgent=CancelFlag()), KvCache(None, 1000)
    decoder = Decoder(Superseded(flag, urgent=urgent), cache, flag, DraftLength(0))
    prompt = [5] * (2 * PREFILL_CHUNK)
    with pytest.raises(Cancelled):
        next(decoder.generate(prompt, TokenHealing(VOCABULARY, NO_HEALING), max_tokens=1, stop_tokens={END}))
    assert len(cache) == kept
    with pytest.raises(Cancelled):
        decoder.warm_up(prompt)
    assert len(cache) == kept, "with a set flag, no chunk begins"


def test_cancelled_between_steps() -> None:
    """A flag that is set between two tokens stops the next step."""
    flag = CancelFlag()
    decoder = Decoder(ScriptedModel([20, 21], END, 100), KvCache(None, 100), flag, DraftLength(0))
    tokens = decoder.generate(PROMPT, TokenHealing(VOCABULARY, NO_HEALING), max_tokens=9, stop_tokens={END})
    assert next(tokens).token == 20
    flag.set("superseded")
    with pytest.raises(Cancelled, match="superseded"):
        next(tokens)


@given(
    arrays(np.float32, (6, 6), elements=st.floats(-3, 3, width=32)),
    st.lists(st.integers(1, 5), min_size=1, max_size=20),
    st.lists(st.integers(1, 5), max_size=20),
    st.sampled_from([0.3, 1.0]),
    st.integers(0, 1000),
)
def test_drafts_never_change_what_is_drawn(
    table: NDArray[np.float32], prompt: list[int], other: list[int], temperature: float, seed: int
) -> None:
    """For one seed, tokens and probabilities are the same with drafts and without.

    This is also true if a part of the prompt was computed before, so that a draft is checked with the rest of it.
    """

    def drawn(drafts: int) -> list[list[Choice]]:
        corpus = np.array([*other, SEPARATOR], np.int32)
        decoder = Decoder(MarkovModel(table), KvCache(None, 100), CancelFlag(), DraftLength(drafts), corpus)
        runs = []
        for tokens in (prompt, prompt, prompt[: len(prompt) // 2 + 1], [*prompt, *other]):
            sampler = Sampler(Sampling(temperature=temperature, top_k=4, top_p=0.95, seed=seed))
            healing = TokenHealing(VOCABULARY, NO_HEALING)
            runs.append(list(decoder.generate(tokens, healing, max_tokens=20, stop_tokens={0}, pick=sampler)))
        return runs

    assert drawn(16) == drawn(0)


def test_draft_is_checked_with_the_rest_of_a_warm_prompt() -> None:
    """A user who types the start of a known text gets the rest of it after a single step."""
    table = np.zeros((12, 12), np.float32)
    table[range(1, 10), range(2, 11)] = 9.0
    model, cache = MarkovModel(table), KvCache(None, 100)
    corpus = np.array([11, 1, 2, 3, 4, 5, 6, 7, 8, 9, SEPARATOR], np.int32)

    def run(prompt: list[int], count: int) -> tuple[list[int], list[int]]:
        model.steps.clear()
        decoder = Decoder(model, cache, CancelFlag(), DraftLength(16), corpus)
        healing = TokenHealing(VOCABULARY, NO_HEALING)
        tokens = [c.token for c in decoder.generate(prompt, healing, max_tokens=count, stop_tokens={0})]
        return tokens, model.steps.copy()

    tokens, steps = run([11, 1], 6)
    assert tokens == [2, 3, 4, 5, 6, 7]
    assert steps[0] == 2, "a cold prompt is computed without a draft"
    cache.truncate(2)
    assert run([11, 1, 2, 3], 6) == ([4, 5, 6, 7, 8, 9], [2 + 5])


def test_first_token_of_the_same_prompt_needs_no_step() -> None:
    """The logits after a prompt are kept, so the same prompt gives its first token without a step of the model."""
    run = Run([20, 21])
    computed = len(run.model.steps)
    decoder = Decoder(run.model, run.cache, CancelFlag(), DraftLength(0))
    assert (
        next(decoder.generate(PROMPT, TokenHealing(VOCABULARY, NO_HEALING), max_tokens=9, stop_tokens={END})).token
        == 20
    )
    assert len(run.model.steps) == computed
    assert decoder.stats.reused_tokens == len(PROMPT)


def test_drafts_save_steps_when_sampling() -> None:
    """Drafts are accepted when sampling too, if one token is far more likely than all others."""
    table = np.full((6, 6), -9.0, np.float32)
    table[[1, 2, 3, 4, 5], [2, 3, 4, 5, 1]] = 9.0
    model = MarkovModel(table)
    decoder = Decoder(model, KvCache(None, 100), CancelFlag(), DraftLength(16))
    choices = decoder.generate(
        [1, 2, 3, 4, 5, 1, 2], TokenHealing(VOCABULARY, ""), max_tokens=20, stop_tokens={0}, pick=Sampler(Sampling())
    )
    assert [choice.token for choice in choices] == [3, 4, 5, 1, 2] * 4
    assert decoder.steps < 10


def test_drafts_come_from_the_corpus_too() -> None:
    """Text that only the corpus contains is checked several tokens at a time."""

    def steps(corpus: list[int]) -> int:
        model = ScriptedModel([20, 21, 22, 23, 24, 25], END, 100)
        decoder = Decoder(model, KvCache(None, 100), CancelFlag(), DraftLength(16), np.array(corpus, np.int32))
        choices = decoder.generate(PROMPT, TokenHealing(VOCABULARY, NO_HEALING), max_tokens=6, stop_tokens={END})
        assert [choice.token for choice in choices] == [20, 21, 22, 23, 24, 25]
        return decoder.steps

    assert steps([2, 20, 21, 22, 23, 24, 25, SEPARATOR]) < steps([]) == 5


class RecordingDraftLength(DraftLength):
    """Records every step with a draft that it learns from."""

    def __init__(self) -> None:
        super().__init__(16)
        self.learnt: list[tuple[int, int, int]] = []

    def learn(self, drafted: int, checked: int, accepted: int, seconds: float | None) -> None:
        if drafted:
            self.learnt.append((drafted, checked, accepted))
        super().learn(drafted, checked, accepted, seconds)


@pytest.mark.parametrize(
    ("script", "taken", "learnt"),
    [([3, 4, 5, 6, 7], 5, (3, 3, 3)), ([3, 4], 5, (3, 2, 1)), ([3, 4, 5, 6, 7], 2, (3, 1, 1))],
    ids=["all tokens generated", "stop token", "consumer stops"],
)
def test_last_step_of_a_run_is_learnt_from(script: list[int], taken: int, learnt: tuple[int, int, int]) -> None:
    """The last step counts too, with the draft tokens that the consumer reached."""
    draft_length = RecordingDraftLength()
    decoder = Decoder(ScriptedModel(script, END, 100), KvCache(None, 100), CancelFlag(), draft_length)
    choices = decoder.generate(PROMPT, TokenHealing(VOCABULARY, NO_HEALING), max_tokens=5, stop_tokens={END})
    assert [choice.token for choice in islice(choices, taken)] == script[:taken]
    choices.close()
    assert draft_length.learnt == [learnt]


def test_warm_up_leaves_nothing_to_compute() -> None:
    """The prompt is computed in chunks, and no token is computed twice."""
    prompt = [5] * (PREFILL_CHUNK + 3)
    model, cache = ScriptedModel([], END, 100), KvCache(None, 1000)
    decoder = Decoder(model, cache, CancelFlag(), DraftLength(0))
    decoder.warm_up(prompt)
    decoder.warm_up(prompt)
    assert model.steps == [PREFILL_CHUNK, 3]
    assert cache.tokens == prompt
    decoder.warm_up([])
    assert len(model.steps) == 2


class InterruptedModel(ScriptedModel):
    """A model whose work is cancelled when two steps are done."""

    def step(self, ids: Sequence[int], cache: KvCache, rows: int, cancel: CancelFlag) -> NDArray[np.float32]:
        if len(self.steps) == 2:
            cancel.set("superseded")
        return super().step(ids, cache, rows, cancel)


def test_interrupted_warm_up_keeps_its_chunks() -> None:
    """The chunks computed before the interruption stay in the cache."""
    cache = KvCache(None, 5000)
    decoder = Decoder(InterruptedModel([], END, 100), cache, CancelFlag(), DraftLength(0))
    with pytest.raises(Cancelled):
        decoder.warm_up([5] * (PREFILL_CHUNK * 4))
    assert len(cache) == 2 * PREFILL_CHUNK
