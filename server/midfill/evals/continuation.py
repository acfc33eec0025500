"""Continues a text with the model alone, as benchmarks of base models do: no suffix, no other files, no filters."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from midfill.common.cancel import CancelFlag
from midfill.common.errors import UsageError
from midfill.completion.engine import Engine
from midfill.inference.decoder import Decoder
from midfill.inference.prompt_lookup import DraftLength
from midfill.inference.token_healing import TokenHealing

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

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._capacity = min(_MAX_CONTEXT_TOKENS, engine.bundle.manifest.context_length)
        self._cache = engine.model.new_cache(self._capacity)

    def continue_text(self, text: str, stops: Sequence[str], max_tokens: int = MAX_TOKENS) -> Continuation:
        """Generate what follows ``text``, up to the first of the texts ``stops``, a stop token or ``max_tokens``.

        Raises:
            UsageError: ``text`` is too long.
            ModelError: the model failed.
        """
        started = time.perf_counter()
        engine = self._engine
        prompt = engine.encode(text)
        limit = min(max_tokens, self._capacity - len(prompt))
        if limit <= 0:
            raise UsageError(f"a prompt has {len(prompt)} tokens; the most are {self._capacity - 1}: leave it out.")
        decoder = Decoder(engine.model, self._cache, CancelFlag(), DraftLength(engine.settings.draft_tokens))
        ids: list[int] = []
        generated = ""
        tokens = decoder.generate(
            prompt, TokenHealing(engine.vocabulary, ""), max_tokens=limit, stop_tokens=engine.stop_tokens
        )
        with closing(tokens) as choices:
            for choice in choices:
                ids.append(choice.token)
                generated = engine.text(ids)
                if any(stop in generated for stop in stops):
                    break
        return Continuation(cut_at_stop(generated, stops), len(ids), time.perf_counter() - started)


def cut_at_stop(text: str, stops: Sequence[str]) -> str:
    """Return ``text`` before the first occurrence of any of ``stops``."""
    ends = [place for stop in stops if (place := text.find(stop)) >= 0]
    return text[: min(ends)] if ends else text
