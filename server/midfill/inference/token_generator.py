"""The seam between a prompt and whatever makes its tokens.

Completion, chat, actions and evaluations know a :class:`LanguageModel` and the :class:`TokenGenerator` that it makes.
They do not know where the tokens come from. :class:`midfill.inference.loaded_model.LoadedModel` makes them in this
process; :class:`midfill.engine.shared_model.SharedModel` has another process make them, and
:class:`midfill.remote.remote_model.RemoteModel` a server.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Generator, Iterator, Sequence, Sized
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from midfill.common.cancel import CancelFlag
from midfill.inference.bundle import Manifest
from midfill.inference.preemption import Steps
from midfill.inference.prompt_lookup import NO_DRAFTS
from midfill.inference.sampling import Choice, Sampling
from midfill.inference.tokenizer import ModelTokenizer

OnLoading = Callable[[str, float], None]
"""Called with what is being done to load a model, and the fraction of the whole that is done, 0 to 1."""


class Deadline:
    """A time limit that begins with the logits of the first token.

    The prefill does not count: on a slow machine it can use up the whole limit, and no text would come of it. All
    alternatives of one suggestion share one deadline.
    """

    def __init__(self, seconds: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        """Allow ``seconds`` as ``clock`` measures them; None sets no limit."""
        self._seconds = seconds
        self._clock = clock
        self._end: float | None = None

    def start(self) -> None:
        """Begin to count. Later calls change nothing."""
        if self._seconds is not None and self._end is None:
            self._end = self._clock() + self._seconds

    @property
    def has_passed(self) -> bool:
        """Whether the time is up."""
        return self._end is not None and self._clock() > self._end


@dataclass(frozen=True, kw_only=True)
class GenerationRequest:
    """What to generate after a prompt."""

    prompt: Sequence[int]
    """Token ids."""
    max_tokens: int
    stop_tokens: Collection[int]
    """Generation ends before the first of these tokens."""
    document: str = ""
    """Path of the document. A prompt of the same document is likely to share its start with this one."""
    required_prefix: str = ""
    """Text that the first tokens must spell (token healing); "" for none."""
    drafts: NDArray[np.int32] = field(default_factory=lambda: NO_DRAFTS)
    """Token ids (N,) to look up drafts in besides the prompt: several sequences, each ended by a ``SEPARATOR`` of
    :mod:`midfill.inference.prompt_lookup`, the most relevant one last."""
    sampling: Sampling | None = None
    """How to draw tokens at random; None takes the most likely token each time."""
    deadline: Deadline | None = None
    ahead: bool = False
    """Whether nobody waits for the text yet. Then requests of others may come first."""

    def after(self, taken: Sequence[int], missing: str) -> GenerationRequest:
        """Return the request for what is missing after the tokens ``taken``, and ``missing`` of the required prefix."""
        return replace(
            self,
            prompt=[*self.prompt, *taken],
            max_tokens=self.max_tokens - len(taken),
            required_prefix=missing,
            sampling=self.sampling.after(len(taken)) if self.sampling else None,
        )


@dataclass
class GenerationStats:
    """What one generation took. The figures are there from its first token on, or from its end."""

    reused_tokens: int = 0
    """Tokens of the prompt that were found in a KV cache."""
    prefill_seconds: float = 0.0
    """Time until the logits of the first token."""
    model: str = ""
    """The name of the model that made the tokens, if it is another one than the model of the generator."""
    steps: int = 0
    """Number of steps after the prefill."""


class TokenStream(Iterator[Choice]):
    """The tokens of one request, generated while they are read. Close it to stop before the end."""

    def __init__(self, choices: Generator[Choice], stats: GenerationStats) -> None:
        self._choices = choices
        self.stats = stats

    def __iter__(self) -> TokenStream:
        return self

    def __next__(self) -> Choice:
        return next(self._choices)

    def close(self) -> None:
        """Generate no further token."""
        self._choices.close()


class ScoredToken(NamedTuple):
    """How likely the model finds a given token at its place."""

    likeliest: int
    """The token that the model finds most likely there."""
    margin: float
    """Log-probability of ``likeliest`` minus that of the given token, in nats; 0 if they are the same."""
    logprob: float
    """Natural logarithm of the given token's probability, at temperature 1."""


class PrefillMeter(Protocol):
    """Learns how fast prompts are computed."""

    def timing(self, computed: Sized) -> AbstractContextManager[None]:
        """Time a block, also one that is interrupted. Meanwhile ``computed`` grows by one for each token computed."""

    def learn(self, tokens: int, seconds: float, processor_seconds: float) -> None:
        """Learn from a time that was measured elsewhere: that of a prefill of ``tokens`` tokens.

        The thread that computed them ran for ``processor_seconds`` of the ``seconds``.
        """


class _NoMeter:
    """A :class:`PrefillMeter` that measures nothing."""

    def timing(self, computed: Sized) -> AbstractContextManager[None]:  # noqa: ARG002 -- as the protocol has it
        return nullcontext()

    def learn(self, tokens: int, seconds: float, processor_seconds: float) -> None:
        """Learn nothing."""


NO_METER: PrefillMeter = _NoMeter()


class TokenGenerator(Protocol):
    """Generates tokens and keeps computed prompts; for one thread at a time.

    All methods raise ``Cancelled`` when the flag is set and ``ModelError`` when the model fails. What was computed of a
    prompt before that stays computed.
    """

    def generate(self, request: GenerationRequest, cancel: CancelFlag) -> TokenStream:
        """Begin to generate. Nothing is computed, and nothing raised, before the first token is read."""

    def prefill(self, prompt: Sequence[int], document: str, cancel: CancelFlag) -> None:
        """Compute ``prompt`` ahead, so that a request for it later begins with its first token."""

    def score(self, prompt: Sequence[int], text: Sequence[int], cancel: CancelFlag) -> Iterator[ScoredToken]:
        """Yield for each token of ``text`` how likely the model finds it after ``prompt`` and the tokens before it."""


class LanguageModel(Protocol):
    """A model that tokens can be generated with."""

    @property
    def manifest(self) -> Manifest:
        """What is known about the model: its name, prompt format, chat template and context length."""

    @property
    def speed_key(self) -> str:
        """A text that differs wherever the same prompt may take another time: another model, machine or setup."""

    @property
    def tokenizer(self) -> ModelTokenizer:
        """The model's tokenizer."""

    def new_generator(
        self,
        *,
        context: int,
        cache_bytes: int,
        max_draft_tokens: int,
        steps: Steps | None = None,
        meter: PrefillMeter = NO_METER,
    ) -> TokenGenerator:
        """Return a generator with KV caches of its own.

        Args:
            context: maximum number of tokens of a prompt together with the text generated after it.
            cache_bytes: memory for KV caches; at least one cache is kept.
            max_draft_tokens: maximum number of draft tokens checked in one step; 0 turns speculation off.
            steps: make each step wait behind more urgent work; None computes at once.
            meter: is told of each prompt that is computed.
        """
