"""A text gone on with by the bare model, as benchmarks ask base models: no suffix, no other files, no filters."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from midfill.common.cancel import CancelFlag
from midfill.common.errors import UsageError
from midfill.inference.token_generator import GenerationRequest, LanguageModel

MOST_TOKENS = 512
_ROOM = 2_048
"""Tokens of a text and what comes after it."""


@dataclass(frozen=True)
class Continuation:
    """What the model wrote."""

    text: str
    """Up to the first of the texts that end it."""
    tokens: int
    seconds: float


class Continuer:
    """Goes on with texts, greedy, one after the other."""

    def __init__(self, model: LanguageModel, max_draft_tokens: int) -> None:
        self._tokenizer = model.tokenizer
        self._room = min(_ROOM, model.manifest.context_length)
        self._generator = model.new_generator(context=self._room, cache_bytes=0, max_draft_tokens=max_draft_tokens)

    def go_on(self, text: str, stops: Sequence[str], max_tokens: int = MOST_TOKENS) -> Continuation:
        """Write what comes after ``text``, up to the first of ``stops``, a stop token or ``max_tokens``.

        Raises:
            UsageError: ``text`` leaves no room.
            ModelError: the model failed.
        """
        started = time.perf_counter()
        prompt = self._tokenizer.encode(text)
        limit = min(max_tokens, self._room - len(prompt))
        if limit <= 0:
            raise UsageError(f"{len(prompt)} tokens leave no room for an answer.")
        request = GenerationRequest(prompt=prompt, max_tokens=limit, stop_tokens=self._tokenizer.stop_tokens)
        ids: list[int] = []
        written = ""
        with closing(self._generator.generate(request, CancelFlag())) as choices:
            for choice in choices:
                ids.append(choice.token)
                written = self._tokenizer.text(ids)
                if any(stop in written for stop in stops):
                    break
        return Continuation(until(written, stops), len(ids), time.perf_counter() - started)


def until(text: str, stops: Sequence[str]) -> str:
    """Return ``text`` up to the first place where one of ``stops`` begins."""
    ends = [place for stop in stops if (place := text.find(stop)) >= 0]
    return text[: min(ends)] if ends else text
