"""Decoding as a generator of tokens: it computes what the cache lacks of the prompt, then checks one draft a step.

Speculative decoding (:mod:`midfill.inference.prompt_lookup`) never changes the tokens that come out:

* A draft token is accepted only if the same token is chosen at its place.
* The logits after a token do not depend on how many tokens a step has
  (:class:`midfill.inference.onnx_model.OnnxModel`).
* So it does not matter where a draft comes from: it is looked up, or else written by the model in 4 bits
  (:mod:`midfill.inference.model_drafts`).
* Drawing at random takes exactly one random number for each token that comes out.
"""

from __future__ import annotations

import time
from collections.abc import Container, Generator, Sequence

import numpy as np
from numpy.typing import NDArray

from midfill.common.cancel import CancelFlag
from midfill.inference.kv_cache import KvCache
from midfill.inference.model_drafts import ModelDrafts
from midfill.inference.onnx_model import Model
from midfill.inference.prompt_lookup import NO_DRAFTS, DraftLength, PromptLookup
from midfill.inference.sampling import Choice, Pick, choose, greedy
from midfill.inference.token_generator import NO_METER, Deadline, GenerationStats, PrefillMeter
from midfill.inference.token_healing import TokenHealing

PREFILL_CHUNK = 128
"""Maximum number of prompt tokens in one step. More are not faster; they take more memory and delay an interruption."""


class Decoder:
    """Decodes with one cache. Its counts can be read while it runs and afterwards."""

    def __init__(
        self,
        model: Model,
        cache: KvCache,
        cancel: CancelFlag,
        draft_length: DraftLength,
        corpus: NDArray[np.int32] = NO_DRAFTS,
        meter: PrefillMeter = NO_METER,
        stats: GenerationStats | None = None,
        model_drafts: ModelDrafts | None = None,
    ) -> None:
        """Decode with ``model`` and ``cache``.

        Args:
            model: computes the logits.
            cache: keeps the keys and values of the prompt.
            cancel: ends the work when it is set.
            draft_length: chooses how long drafts are. It is shared by many decoders and learns from each.
            corpus: token ids (N,) in which drafts are looked up besides the prompt; see :class:`PromptLookup`.
            meter: is told of each prompt that is computed.
            stats: gets the figures as soon as they are known.
            model_drafts: writes a draft where none can be looked up; shared and learning as ``draft_length``. None for
                no such drafts.
        """
        self._model = model
        self._cache = cache
        self._cancel = cancel
        self._draft_length = draft_length
        self._corpus = corpus
        self._meter = meter
        self._model_drafts = model_drafts
        self.stats = stats or GenerationStats()
        """What the latest prompt took."""
        self.steps = 0
        """Number of steps after the prefill."""

    def generate(
        self,
        prompt: Sequence[int],
        healing: TokenHealing,
        *,
        max_tokens: int,
        stop_tokens: Container[int],
        pick: Pick = greedy,
        deadline: Deadline | None = None,
    ) -> Generator[Choice]:
        """Yield one token after another, as ``pick`` chooses them, until a stop token, ``max_tokens`` or ``deadline``.

        The stop token is not yielded. The consumer may close the generator at any token. The first tokens spell the
        text that ``healing`` requires.

        Raises:
            Cancelled: the flag was set.
            ModelError: a step failed.
        """
        started = time.perf_counter()
        self.stats.reused_tokens = reused = self._cache.reuse(prompt)
        lookup = PromptLookup(prompt, max_tokens, self._corpus)
        draft: list[int] = []
        logits = self._cache.logits if reused == len(prompt) else None
        if logits is None:
            # After a keystroke, the new end of the prompt often has a draft. A prompt that is all new seldom has one.
            draft = lookup.propose(min(self._draft_length.choose(), max_tokens - 1)) if reused else []
            logits = self._prefill(prompt, draft)
        self.stats.prefill_seconds = time.perf_counter() - started
        if deadline:
            deadline.start()
        seconds: float | None = None  # time of the current step; the prefill's does not show what a draft token costs
        learner = self._draft_length
        produced = 0
        while True:
            checked = accepted = 0
            try:
                # Row i of the logits follows the draft's first i tokens, so it is valid while those were accepted.
                while checked == accepted and checked <= len(draft):
                    choice = choose(logits[checked], healing.allowed(), pick)
                    healing.take(choice.token)
                    accepted += checked < len(draft) and choice.token == draft[checked]
                    checked += 1
                    if checked > accepted:
                        self._cache.truncate(len(self._cache) - len(draft) + accepted)
                    if choice.token in stop_tokens:
                        return
                    yield choice
                    lookup.append(choice.token)
                    produced += 1
                    if produced == max_tokens or (deadline and deadline.has_passed):
                        return
            finally:  # also when the consumer closes the generator
                learner.learn(len(draft), min(checked, len(draft)), accepted, seconds)
            room = max_tokens - produced - 1
            started = time.perf_counter()
            learner, draft = self._draft_length, lookup.propose(min(self._draft_length.choose(), room))
            # A model that drafts does not know what text the next tokens must spell.
            if not draft and self._model_drafts and not healing.missing:
                learner = self._model_drafts.length
                draft = self._model_drafts.propose(choice.token, self._cache, room, stop_tokens, self._cancel)
            logits = self._model.step([choice.token, *draft], self._cache, len(draft) + 1, self._cancel)
            seconds = time.perf_counter() - started
            self._cache.keep_logits(logits)
            self.steps += 1
            self.stats.steps = self.steps

    def warm_up(self, prompt: Sequence[int]) -> None:
        """Compute what the cache lacks of ``prompt``, with the logits after it.

        What was computed before the flag was set stays in the cache.

        Raises:
            Cancelled: the flag was set.
            ModelError: a step failed.
        """
        self.stats.reused_tokens = self._cache.reuse(prompt)
        if self.stats.reused_tokens < len(prompt):
            self._prefill(prompt, [])

    def _prefill(self, prompt: Sequence[int], draft: Sequence[int]) -> NDArray[np.float32]:
        """Compute what the cache lacks of ``prompt``, and then ``draft``.

        The prompt is computed in chunks. A set flag ends the work after the current chunk, and only an urgent one
        interrupts it: the next keystroke needs the same chunk, and a fast typist would interrupt each new attempt too.

        Returns:
            Logits (1 + len(draft), V): after the prompt's last token, and after each token of the draft.
        """
        with self._meter.timing(self._cache):
            while len(prompt) - len(self._cache) > PREFILL_CHUNK:
                start = len(self._cache)
                self._compute_chunk(prompt[start : start + PREFILL_CHUNK], 0)
            logits = self._compute_chunk([*prompt[len(self._cache) :], *draft], len(draft) + 1)
        self._cache.keep_logits(logits)
        return logits

    def _compute_chunk(self, ids: Sequence[int], rows: int) -> NDArray[np.float32]:
        self._cancel.check()
        logits = self._model.step(ids, self._cache, rows, self._cancel.urgent)
        self._cancel.check()
        return logits
