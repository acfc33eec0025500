"""Continues a text with the model alone, as benchmarks of base models do: no suffix, no other files, no filters."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from midfill.common.cancel import CancelFlag
from midfill.common.errors import UsageError
from midfill.inference.token_generator import GenerationRequest, LanguageModel

MAX_TOKENS = 512
"""Default maximum number of tokens of a continuation."""
_MAX_CONTEXT_TOKENS = 2_048
"""Maximum number of tokens of a text and its continuation together."""


@dataclass(frozen=True)
class Continuation:
    """The text that the model generated."""

    text: str
    """The generated text before the first stop text."""
    tokens: int
    """Number of generated tokens."""
    seconds: float
    """Time of prefill and generation."""


class Continuer:
    """Continues texts, one after the other, with greedy decoding."""

    def __init__(self, model: LanguageModel, max_draft_tokens: int) -> None:
        self._tokenizer = model.tokenizer
        self._capacity = min(_MAX_CONTEXT_TOKENS, model.manifest.usable_context)
        self._generator = model.new_generator(context=self._capacity, cache_bytes=0, max_draft_tokens=max_draft_tokens)

    def continue_text(self, text: str, stops: Sequence[str], max_tokens: int = MAX_TOKENS) -> Continuation:
        """Generate what follows ``text``, up to the first of the texts ``stops``, a stop token or ``max_tokens``.

        Raises:
            UsageError: ``text`` is too long.
            ModelError: the model failed.
        """
        started = time.perf_counter()
        prompt = self._tokenizer.encode(text)
        limit = min(max_tokens, self._capacity - len(prompt))
        if limit <= 0:
            raise UsageError(f"a prompt has {len(prompt)} tokens; the most are {self._capacity - 1}: leave it out.")
        request = GenerationRequest(prompt=prompt, max_tokens=limit, stop_tokens=self._tokenizer.stop_tokens)
        ids: list[int] = []
        generated = ""
        with closing(self._generator.generate(request, CancelFlag())) as choices:
            for choice in choices:
                ids.append(choice.token)
                generated = self._tokenizer.text(ids)
                if any(stop in generated for stop in stops):
                    break
        return Continuation(cut_at_stop(generated, stops), len(ids), time.perf_counter() - started)


def cut_at_stop(text: str, stops: Sequence[str]) -> str:
    """Return ``text`` before the first occurrence of any of ``stops``."""
    ends = [place for stop in stops if (place := text.find(stop)) >= 0]
    return text[: min(ends)] if ends else text
