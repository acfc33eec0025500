"""Decoding as a generator of tokens: prefill what the cache lacks, then check guesses until something stops it.

Speculation (:mod:`midfill.inference.prompt_lookup`) never changes what comes out: a guessed token is kept only if it
is the one that is chosen in its place, every token is chosen from logits that do not depend on how many tokens a step
has (see :class:`midfill.inference.onnx_model.OnnxModel`), and drawing at random takes one number for each token that
comes out.
"""

from __future__ import annotations

import time
from collections.abc import Container, Generator, Sequence

import numpy as np
from numpy.typing import NDArray

from midfill.common.cancel import CancelFlag
from midfill.inference.kv_cache import KvCache
from midfill.inference.onnx_model import Model
from midfill.inference.prompt_lookup import NO_DRAFTS, DraftLength, PromptLookup
from midfill.inference.sampling import Choice, Pick, choose, greedy
from midfill.inference.token_generator import Deadline
from midfill.inference.token_healing import TokenHealing

PREFILL_CHUNK = 128
"""Most tokens of a prompt computed in one step: more are no faster, take more memory and are waited for longer."""


class Decoder:
    """Decodes with one cache; what it measured can be read while it runs and afterwards."""

    def __init__(
        self,
        model: Model,
        cache: KvCache,
        cancel: CancelFlag,
        draft_length: DraftLength,
        elsewhere: NDArray[np.int32] = NO_DRAFTS,
    ) -> None:
        """``draft_length`` learns from run to run; guesses are looked up ``elsewhere`` too."""
        self._model = model
        self._cache = cache
        self._cancel = cancel
        self._draft_length = draft_length
        self._elsewhere = elsewhere
        self.reused_tokens = 0
        """Tokens of the latest prompt found in the cache."""
        self.prefill_seconds = 0.0
        """Until the latest first token's logits."""
        self.steps = 0
        """Steps that were not prefill."""

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
        """Yield the next token, as ``pick`` chooses it, until a stop token, ``max_tokens`` or ``deadline``.

        A stop token is not yielded. The consumer may close the generator at any token. The first tokens spell what
        ``healing`` asks for.

        Raises:
            Cancelled: the flag was set.
            ModelError: a step failed.
        """
        started = time.perf_counter()
        self.reused_tokens = self._cache.reuse(prompt)
        drafter = PromptLookup(prompt, max_tokens, self._elsewhere)
        draft: list[int] = []
        logits = self._cache.logits if self.reused_tokens == len(prompt) else None
        if logits is None:
            # A prompt that is mostly known may end in a known run; a cold one seldom does.
            draft = drafter.propose(min(self._draft_length.choose(), max_tokens - 1)) if self.reused_tokens else []
            logits = self._prefill(prompt, draft)
        self.prefill_seconds = time.perf_counter() - started
        if deadline:
            deadline.start()
        seconds: float | None = None  # of the step at hand; the prefill says nothing of what guesses cost
        produced = 0
        while True:
            checked = accepted = 0
            try:
                # Row i was computed after the draft's first i tokens: it counts as long as those were right.
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
                    drafter.append(choice.token)
                    produced += 1
                    if produced == max_tokens or (deadline and deadline.has_passed):
                        return
            finally:  # also when the consumer has enough
                self._draft_length.learn(len(draft), min(checked, len(draft)), accepted, seconds)
            draft = drafter.propose(min(self._draft_length.choose(), max_tokens - produced - 1))
            started = time.perf_counter()
            logits = self._model.step([choice.token, *draft], self._cache, len(draft) + 1, self._cancel)
            seconds = time.perf_counter() - started
            self._cache.keep_logits(logits)
            self.steps += 1

    def warm_up(self, prompt: Sequence[int]) -> None:
        """Compute what the cache lacks of ``prompt``, with the logits after it.

        What was computed before the flag was set stays in the cache.

        Raises:
            Cancelled: the flag was set.
            ModelError: a step failed.
        """
        self.reused_tokens = self._cache.reuse(prompt)
        if self.reused_tokens < len(prompt):
            self._prefill(prompt, [])

    def _prefill(self, prompt: Sequence[int], draft: Sequence[int]) -> NDArray[np.float32]:
        """Compute what the cache lacks of ``prompt``, and ``draft``; return logits (1 + len(draft), V) from its end on.

        In chunks, between which a set flag is seen. A chunk is finished first, unless it is urgent: the next keystroke
        needs the same prompt, and would come too soon again for one that were begun anew.
        """
        while len(prompt) - len(self._cache) > PREFILL_CHUNK:
            start = len(self._cache)
            self._read(prompt[start : start + PREFILL_CHUNK], 0)
        logits = self._read([*prompt[len(self._cache) :], *draft], len(draft) + 1)
        self._cache.keep_logits(logits)
        return logits

    def _read(self, ids: Sequence[int], rows: int) -> NDArray[np.float32]:
        self._cancel.check()
        logits = self._model.step(ids, self._cache, rows, self._cancel.urgent)
        self._cancel.check()
        return logits
