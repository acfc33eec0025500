"""A text gone on with by the bare model, as benchmarks ask base models: no suffix, no other files, no filters."""

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

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._room = min(_ROOM, engine.bundle.manifest.context_length)
        self._cache = engine.model.new_cache(self._room)

    def continue_text(self, text: str, stops: Sequence[str], max_tokens: int = MAX_TOKENS) -> Continuation:
        """Write what comes after ``text``, up to the first of ``stops``, a stop token or ``max_tokens``.

        Raises:
            UsageError: ``text`` leaves no room.
            ModelError: the model failed.
        """
        started = time.perf_counter()
        engine = self._engine
        prompt = engine.encode(text)
        limit = min(max_tokens, self._room - len(prompt))
        if limit <= 0:
            raise UsageError(f"{len(prompt)} tokens leave no room for an answer.")
        decoder = Decoder(engine.model, self._cache, CancelFlag(), DraftLength(engine.settings.draft_tokens))
        ids: list[int] = []
        written = ""
        tokens = decoder.generate(
            prompt, TokenHealing(engine.vocabulary, ""), max_tokens=limit, stop_tokens=engine.stop_tokens
        )
        with closing(tokens) as choices:
            for choice in choices:
                ids.append(choice.token)
                written = engine.text(ids)
                if any(stop in written for stop in stops):
                    break
        return Continuation(cut_at_stop(written, stops), len(ids), time.perf_counter() - started)


def cut_at_stop(text: str, stops: Sequence[str]) -> str:
    """Return ``text`` up to the first place where one of ``stops`` begins."""
    ends = [place for stop in stops if (place := text.find(stop)) >= 0]
    return text[: min(ends)] if ends else text
