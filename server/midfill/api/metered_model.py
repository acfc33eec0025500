"""A model that counts what is computed with it."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Literal

from midfill.api.metrics import Metrics
from midfill.common.cancel import CancelFlag
from midfill.inference.bundle import Manifest
from midfill.inference.preemption import Steps
from midfill.inference.sampling import Choice
from midfill.inference.token_generator import (
    NO_METER,
    GenerationRequest,
    LanguageModel,
    PrefillMeter,
    ScoredToken,
    TokenGenerator,
    TokenStream,
)
from midfill.inference.tokenizer import ModelTokenizer


class MeteredModel:
    """Counts in ``metrics``: a :class:`midfill.inference.token_generator.LanguageModel`."""

    def __init__(self, model: LanguageModel, metrics: Metrics) -> None:
        self._model = model
        self._metrics = metrics

    @property
    def manifest(self) -> Manifest:
        """See :attr:`midfill.inference.token_generator.LanguageModel.manifest`."""
        return self._model.manifest

    @property
    def speed_key(self) -> str:
        """See :attr:`midfill.inference.token_generator.LanguageModel.speed_key`."""
        return self._model.speed_key

    @property
    def tokenizer(self) -> ModelTokenizer:
        """See :attr:`midfill.inference.token_generator.LanguageModel.tokenizer`."""
        return self._model.tokenizer

    def new_generator(
        self,
        *,
        context: int,
        cache_bytes: int,
        max_draft_tokens: int,
        steps: Steps | None = None,
        meter: PrefillMeter = NO_METER,
    ) -> MeteredGenerator:
        """See :meth:`midfill.inference.token_generator.LanguageModel.new_generator`."""
        generator = self._model.new_generator(
            context=context, cache_bytes=cache_bytes, max_draft_tokens=max_draft_tokens, steps=steps, meter=meter
        )
        return MeteredGenerator(generator, self._metrics)


class MeteredGenerator:
    """Counts in ``metrics``: a :class:`midfill.inference.token_generator.TokenGenerator`."""

    def __init__(self, generator: TokenGenerator, metrics: Metrics) -> None:
        self._generator = generator
        self._metrics = metrics

    def generate(self, request: GenerationRequest, cancel: CancelFlag) -> TokenStream:
        """See :meth:`midfill.inference.token_generator.TokenGenerator.generate`."""
        stream = self._generator.generate(request, cancel)
        return TokenStream(self._counted(stream, len(request.prompt)), stream.stats)

    def prefill(self, prompt: Sequence[int], document: str, cancel: CancelFlag) -> None:
        """See :meth:`midfill.inference.token_generator.TokenGenerator.prefill`."""
        with self._timed("prefill_seconds"):
            self._generator.prefill(prompt, document, cancel)

    def score(self, prompt: Sequence[int], text: Sequence[int], cancel: CancelFlag) -> Iterator[ScoredToken]:
        """See :meth:`midfill.inference.token_generator.TokenGenerator.score`."""
        return self._generator.score(prompt, text, cancel)

    def _counted(self, stream: TokenStream, prompt_tokens: int) -> Generator[Choice]:
        with closing(stream):
            with self._timed("prefill_seconds"):
                choice = next(stream, None)
            self._metrics.prompt_tokens += prompt_tokens
            self._metrics.prompt_tokens_reused += min(stream.stats.reused_tokens, prompt_tokens)
            while choice is not None:
                self._metrics.generation_tokens += 1
                yield choice
                with self._timed("decode_seconds"):
                    choice = next(stream, None)

    @contextmanager
    def _timed(self, name: Literal["prefill_seconds", "decode_seconds"]) -> Iterator[None]:
        """Count the time of the block, also if it is cancelled."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            setattr(self._metrics, name, getattr(self._metrics, name) + time.perf_counter() - begun)
