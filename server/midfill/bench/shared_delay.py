"""How much later a first token comes from the engine process that servers share than from a model in this process.

Both models get the same prompts in turns, each with one token more than the one before, as after a keystroke. So each
turn is one step of the model, and the way there and back.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from midfill.bench.figures import Samples, median, percentile, with_unit
from midfill.bench.scenes import sources
from midfill.common.cancel import CancelFlag
from midfill.common.errors import BenchError
from midfill.engine.open_model import open_in_process, open_model
from midfill.engine.shared_model import SharedModel
from midfill.inference.prompt_lookup import SEPARATOR
from midfill.inference.token_generator import GenerationRequest, LanguageModel, TokenGenerator
from midfill.settings.schema import Settings

_PROMPT_TOKENS = 1_000
"""Tokens of the first prompt."""
_DRAFT_TOKENS = 20_000
"""Tokens of other documents that go with each request."""


@dataclass(frozen=True)
class SharedDelay:
    """The milliseconds until each first token: of the shared model as ``ours``, of the one in this process as ``peer``.

    Both have one value for each turn.
    """

    samples: Samples

    @property
    def later(self) -> list[float]:
        """The milliseconds by which each first token came later from the shared model."""
        return [shared - own for shared, own in zip(self.samples.ours, self.samples.peer, strict=True)]

    def to_json(self) -> dict[str, float | int | None]:
        """Return the figures as JSON values, in milliseconds."""
        return {
            "turns": len(self.samples.ours),
            "in_process_ms": median(self.samples.peer),
            "shared_ms": median(self.samples.ours),
            "later_ms": median(self.later),
            "later_p90_ms": percentile(self.later, 90),
            "ratio": self.samples.ratio,
        }

    def to_text(self) -> str:
        """Return the figures for a terminal."""
        own, shared, later = (
            with_unit(median(each), "ms") for each in (self.samples.peer, self.samples.ours, self.later)
        )
        rare = with_unit(percentile(self.later, 90), "ms")
        return (
            f"first token after a keystroke, {len(self.samples.ours)} turns (medians)\n"
            f"  model in this process    {own}\n"
            f"  model in a shared one    {shared}\n"
            f"  later by                 {later}; 90% of the turns: at most {rare}\n"
            f"  ratio of the two         {self.samples.ratio or 0:.3f}"
        )


def measure(settings: Settings, turns: int) -> SharedDelay:
    """Load the bundle that ``settings`` name twice, in this process and in an engine process, and ask both in turns.

    Raises:
        BundleError, ModelError: the bundle cannot be used.
        BenchError: servers cannot share an engine here.
    """
    shared = open_model(replace(settings, share_engine=True, unload_minutes=0))
    if not isinstance(shared, SharedModel):
        raise BenchError("servers cannot share an engine here: `midfill doctor` says why.")
    own = open_in_process(settings)
    tokens = [token for _, text in sources() for token in own.tokenizer.encode(text)]
    tokens = tokens[: _PROMPT_TOKENS + turns + 1 + _DRAFT_TOKENS]
    drafts = np.array([*tokens[-_DRAFT_TOKENS:], SEPARATOR], np.int32)
    sides = [_generator(model, settings, _PROMPT_TOKENS + turns + 2) for model in (shared, own)]
    samples = Samples()
    for turn in range(turns + 1):
        request = GenerationRequest(
            prompt=tokens[: _PROMPT_TOKENS + turn], max_tokens=1, stop_tokens=frozenset(), drafts=drafts
        )
        samples.take(*(partial(_first_token, side, request) for side in sides))
    # The first turn computes the whole prompt.
    return SharedDelay(Samples(samples.ours[1:], samples.peer[1:]))


def _generator(model: LanguageModel, settings: Settings, context: int) -> TokenGenerator:
    return model.new_generator(context=context, cache_bytes=0, max_draft_tokens=settings.draft_tokens)


def _first_token(generator: TokenGenerator, request: GenerationRequest) -> float:
    """Return the milliseconds until the first token."""
    began = time.perf_counter()
    for _ in generator.generate(request, CancelFlag()):
        break
    return (time.perf_counter() - began) * 1000
