"""Text that continues a prompt, token by token, as both dialects stream it."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from midfill.api.generated_text import GeneratedText
from midfill.api.model_worker import ModelWorker
from midfill.inference.sampling import Choice
from midfill.inference.token_generator import GenerationRequest, GenerationStats
from midfill.inference.tokenizer import ModelTokenizer


@dataclass(frozen=True)
class Piece:
    """A token, and the text that is certain since the one before it."""

    text: str
    choice: Choice | None
    """None for the last piece, if it only has text that was held back."""


class Continuation:
    """The continuation of one prompt. Its figures are there from the first piece on, and whole at the end."""

    def __init__(
        self, worker: ModelWorker, tokenizer: ModelTokenizer, request: GenerationRequest, stops: Sequence[str]
    ) -> None:
        """Continue as ``request`` says, and end before the first of the texts ``stops``."""
        self._worker = worker
        self._request = request
        self._text = GeneratedText(tokenizer.spell, stops)
        self.stats = GenerationStats()
        self.tokens = 0
        """Number of tokens so far."""
        self.seconds = 0.0
        """Time from the first token to the last one so far."""

    async def pieces(self) -> AsyncGenerator[Piece, None]:
        """Yield the pieces. Close the iterator to stop within a step.

        Raises:
            MidfillError: the model cannot be loaded, or fails.
            RequestError: too many requests wait.
        """
        async with aclosing(self._worker.tokens(self._request)) as tokens:
            started: float | None = None
            async for choice, self.stats in tokens:
                started = started or time.perf_counter()
                self.seconds = time.perf_counter() - started
                self.tokens += 1
                yield Piece(self._text.take(choice.token), choice)
                if self._text.stopped_by is not None:
                    return
        if rest := self._text.rest():
            yield Piece(rest, None)

    @property
    def stopped_by(self) -> str | None:
        """The stop text that has ended the text; None if none has."""
        return self._text.stopped_by

    @property
    def was_cut(self) -> bool:
        """Whether the text ended at a limit: that of tokens, or the deadline."""
        if self.stopped_by is not None:
            return False
        deadline = self._request.deadline
        return self.tokens >= self._request.max_tokens or (deadline is not None and deadline.has_passed)
