"""Measures the model alone: prefill, decoding, single steps, the first token, and the time to stop after a cancel.

Midfill is measured through the decoder that the server uses, so the model computes in the same steps.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from midfill.bench.figures import Figure, Measure, Samples, Wanted, ratio_of, take_turns
from midfill.bench.in_process import LoadedBundle
from midfill.bench.plan import Plan
from midfill.bench.scenes import Scene, sources
from midfill.common.cancel import CancelFlag, Cancelled
from midfill.completion.types import Request
from midfill.inference.decoder import Decoder
from midfill.inference.kv_cache import KvCache
from midfill.inference.model_drafts import ModelDrafts
from midfill.inference.prompt_lookup import DraftLength
from midfill.inference.token_healing import TokenHealing, Vocabulary
from midfill.settings.schema import Settings

if TYPE_CHECKING:
    from midfill.bench.peer import LlamaServer

_CANCEL_AFTER = 0.05
"""Seconds from the start of a prefill to its cancel."""
_PREFILL_WANTED = {1024: Wanted(3.0)}
_DECODE_WANTED = Wanted(1.0)
_FIRST_TOKEN_WANTED = Wanted(0.5, at_most=True)
_NOTHING_TO_HEAL = TokenHealing(Vocabulary([]), "")


class Machine:
    """Measures one loaded bundle, and the peer in turns with it if there is one."""

    def __init__(self, loaded: LoadedBundle, plan: Plan, peer: LlamaServer | None = None) -> None:
        self._engine = loaded.new_engine()
        self._model = loaded.model
        self._draft_model = loaded.draft_model
        self._plan = plan
        self._peer = peer
        longest = max(*plan.prefills, *plan.contexts) + max(plan.steps)
        self._tokens = [token for _, text in sources() for token in loaded.encode(text)][:longest]

    def prefills(self) -> list[Figure]:
        """Measure the prefill of prompts of several lengths, with empty caches."""
        peer, lengths = self._peer, self._plan.prefills
        figures = []
        for n in lengths:
            ids = self._tokens[:n]
            samples = take_turns(
                self._plan.runs, partial(self._prefill_speed, ids), partial(peer.prefill_speed, ids) if peer else None
            )
            figures.append(samples.figure(f"prefill of {n:,} tokens", "tokens/s", _PREFILL_WANTED.get(n)))
        # The figures are tokens per second; the quotient of times per token is the inverse of their quotient.
        name = f"prefill time per token at {lengths[-1]:,} tokens, divided by that at {lengths[0]:,}"
        return [*figures, _quotient(name, figures[0], figures[-1])]

    def decodes(self) -> list[Figure]:
        """Measure decoding, one token at a time, after contexts of several lengths."""
        peer, lengths, count = self._peer, self._plan.contexts, self._plan.decoded
        figures = []
        for n in lengths:
            ids = self._tokens[:n]
            cache = self._model.new_cache(n + count + 1)
            samples = take_turns(
                self._plan.runs,
                partial(self._decode_speed, ids, cache),
                partial(peer.decode_speed, ids, count) if peer else None,
            )
            wanted = None if self._draft_model else _DECODE_WANTED
            figures.append(samples.figure(f"decode after {n:,} tokens, no drafts", "tokens/s", wanted))
        name = f"decode speed after {lengths[-1]:,} tokens, divided by that after {lengths[0]:,}"
        return [*figures, _quotient(name, figures[-1], figures[0])]

    def drafted_decodes(self) -> list[Figure]:
        """Measure decoding with drafts that the model in 4 bits writes, and none that are looked up; [] without it."""
        if self._draft_model is None:
            return []
        peer, count = self._peer, self._plan.decoded
        drafts = ModelDrafts(self._draft_model, Settings().draft_tokens)
        figures = []
        for n in self._plan.contexts:
            ids = self._tokens[:n]
            samples = take_turns(
                self._plan.runs,
                partial(self._decode_speed, ids, self._model.new_cache(n + count + 1), drafts),
                partial(peer.decode_speed, ids, count) if peer else None,
            )
            figures.append(samples.figure(f"decode after {n:,} tokens, drafts in 4 bits", "tokens/s", _DECODE_WANTED))
        return figures

    def steps(self) -> list[Figure]:
        """Time single steps of several sizes, in tokens: the extra time of a larger step is the cost of a draft."""
        peer = self._peer
        context = self._tokens[: self._plan.contexts[0]]
        cache = self._model.new_cache(len(context) + max(self._plan.steps))
        self._model.step(context, cache, 1, CancelFlag())
        figures = []
        for n in self._plan.steps:
            new = self._tokens[len(context) : len(context) + n]
            samples = take_turns(
                self._plan.runs,
                partial(self._step_milliseconds, cache, len(context), new),
                partial(peer.step_milliseconds, context, new) if peer else None,
            )
            figures.append(samples.figure(step_name(n), "ms"))
        return figures

    def first_tokens(self, scenes: Sequence[Scene]) -> list[Figure]:
        """Time the first token in a new document, and after each of the next keystrokes.

        Wall-clock time. Midfill's starts at the document's text, in this process; the peer's is a request over HTTP
        with the same prompt.
        """
        cold, warm = Samples(), Samples()
        for scene in scenes:
            cold.take(self._first_token(scene, ""), self._peer_first_token(keep=False))
            typed = ""
            for key in scene.keys(self._plan.keys_to_first_token):
                typed += key.text
                warm.take(self._first_token(scene, typed), self._peer_first_token(keep=True))
        return [
            cold.figure("first token, new document", "ms"),
            warm.figure("first token, after a keystroke", "ms", _FIRST_TOKEN_WANTED),
        ]

    def cancel(self) -> Figure:
        """Measure the time from a cancel, in the middle of a prefill, until the computation has stopped."""
        waits = [wait for _ in range(self._plan.runs) if (wait := self._cancel_seconds()) is not None]
        samples = Samples([1000 * wait for wait in waits])
        figure = samples.figure("stop after a cancel", "ms")
        if waits:
            return figure
        reason = f"the prefill of {len(self._tokens):,} tokens took less than {1000 * _CANCEL_AFTER:.0f} ms"
        return Figure(name=figure.name, unit=figure.unit, value=None, note=f"nothing was cancelled: {reason}")

    def _decoder(self, cache: KvCache, cancel: CancelFlag, drafts: ModelDrafts | None = None) -> Decoder:
        return Decoder(self._model, cache, cancel, DraftLength(0), model_drafts=drafts)

    def _prefill_seconds(self, ids: Sequence[int], cancel: CancelFlag) -> float:
        decoder = self._decoder(self._model.new_cache(len(ids) + 1), cancel)
        for _ in decoder.generate(ids, _NOTHING_TO_HEAL, max_tokens=1, stop_tokens=()):
            pass
        return decoder.stats.prefill_seconds

    def _prefill_speed(self, ids: Sequence[int]) -> float:
        return len(ids) / self._prefill_seconds(ids, CancelFlag())

    def _decode_speed(self, ids: Sequence[int], cache: KvCache, drafts: ModelDrafts | None = None) -> float:
        """Return tokens per second without the first token, which the prefill computes.

        A second run finds the prompt in ``cache``.
        """
        count = self._plan.decoded
        tokens = self._decoder(cache, CancelFlag(), drafts).generate(
            ids, _NOTHING_TO_HEAL, max_tokens=count + 1, stop_tokens=()
        )
        next(tokens)
        started = time.perf_counter()
        for _ in tokens:
            pass
        return count / (time.perf_counter() - started)

    def _step_milliseconds(self, cache: KvCache, context: int, new: Sequence[int]) -> float:
        cache.truncate(context)
        started = time.perf_counter()
        self._model.step(new, cache, len(new), CancelFlag())
        return 1000 * (time.perf_counter() - started)

    def _first_token(self, scene: Scene, typed: str) -> Measure:
        text = scene.before + typed + scene.after
        request = Request(text=text, offset=len(scene.before + typed), path=scene.path, max_tokens=1)

        def milliseconds() -> float:
            started = time.perf_counter()
            self._engine.complete(request, CancelFlag())
            return 1000 * (time.perf_counter() - started)

        return milliseconds

    def _peer_first_token(self, keep: bool) -> Measure | None:
        """Return what measures the peer with the prompt that Midfill has just computed."""
        peer = self._peer
        return (lambda: peer.first_token_milliseconds(self._model.sequence, keep_prompt=keep)) if peer else None

    def _cancel_seconds(self) -> float | None:
        """Cancel a prefill; if it ends before the cancel, cancel one that is twice as long, while there is text."""
        length = min(self._plan.cancelled, len(self._tokens))
        while True:
            wait = self._cancel_prefill(self._tokens[:length])
            if wait is not None or length == len(self._tokens):
                return wait
            length = min(2 * length, len(self._tokens))

    def _cancel_prefill(self, ids: Sequence[int]) -> float | None:
        """Return the seconds from the cancel to the end of the prefill; None if it ended before the cancel."""
        flag = CancelFlag()
        set_at = 0.0

        def cancel() -> None:
            nonlocal set_at
            set_at = time.perf_counter()
            flag.set("cancelled")

        timer = threading.Timer(_CANCEL_AFTER, cancel)
        timer.start()
        try:
            self._prefill_seconds(ids, flag)
        except Cancelled:
            return time.perf_counter() - set_at
        finally:
            timer.cancel()
            timer.join()
        return None


def step_name(tokens: int) -> str:
    """Return the name of the figure of a step that computes ``tokens`` tokens."""
    return f"step of {tokens} token{'s' if tokens > 1 else ''}"


def _quotient(name: str, dividend: Figure, divisor: Figure) -> Figure:
    """Divide one figure by another, for each side."""
    return Figure(
        name=name,
        unit="times",
        value=ratio_of(dividend.value, divisor.value),
        peer=ratio_of(dividend.peer, divisor.peer),
    )
