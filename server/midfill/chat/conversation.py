"""Questions and answers: a bundle's chat model, beside its suggestions.

Each turn's prompt begins with the turns before, so the KV cache of one is that of the next. Guesses are looked up in
the prompt, too: code that is asked to be changed a little is mostly what it was.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from midfill.common.cancel import CancelFlag
from midfill.common.errors import UsageError
from midfill.completion.engine import Engine
from midfill.inference.decoder import Decoder
from midfill.inference.kv_cache import KvCache
from midfill.inference.onnx_model import Model
from midfill.inference.prompt_lookup import DraftLength
from midfill.inference.sampling import Choice, Pick, greedy
from midfill.inference.token_healing import TokenHealing
from midfill.prompt.chat_template import Chat, Message

ROOM = 8_192
"""Tokens of all turns together; memory is taken as they come, 25 MB a thousand for the 0.5B."""
MOST_TOKENS = 1_024
"""Of one answer, unless something else is asked for."""
_READ_AT_ONCE = 64
"""Tokens of a text whose logits are wanted, 0.6 MB each."""
_MOST_LOGARITHM = 50.0


@dataclass(frozen=True)
class Doubt:
    """A place of a text where the model would say something else."""

    offset: int
    """In characters."""
    instead: str
    """One token of what it would say."""
    odds: float
    """How many times likelier that is than what stands there."""


@dataclass(frozen=True, kw_only=True)
class ChatAnswer:
    """What the model said, and what it took."""

    text: str
    """With what it was to begin with."""
    stopped_by: str
    """``stop-token``, ``max-tokens``, or ``enough`` when who listened had heard what was wanted."""
    model: str
    prompt_tokens: int
    reused_tokens: int
    tokens: int
    milliseconds: dict[str, float] = field(default_factory=dict)
    """By stage: tokenize, prefill, decode."""


class Conversation:
    """Answers with an engine's model; not for several threads at once, nor while the engine completes.

    But for the latter, the model may be given as one that takes turns
    (:class:`midfill.inference.preemption.PreemptibleModel`).
    """

    def __init__(self, engine: Engine, room: int = ROOM, model: Model | None = None) -> None:
        """Make room for so many tokens, as far as the model was made for them.

        Raises:
            ModelError: the model cannot answer questions.
        """
        self._engine = engine
        self._model = model or engine.model
        manifest = engine.bundle.manifest
        control = {engine.spell([token]): token for token in engine.control_tokens if token >= 0}
        self._chat = Chat(manifest.chat_template, control, engine.encode, engine.spell(manifest.stop_tokens[:1]))
        self.room = min(room, manifest.context_length)
        self._draft_length = DraftLength(engine.settings.draft_tokens)
        self._cache: KvCache | None = None
        self._begun = ""
        self._choices: list[Choice] = []
        """Of the last answer, after what it was begun with."""

    def count(self, text: str) -> int:
        """Return how many tokens ``text`` has."""
        return len(self._engine.encode(text))

    def answer(
        self,
        messages: Sequence[Message],
        cancel: CancelFlag,
        *,
        max_tokens: int = MOST_TOKENS,
        begin: str = "",
        pick: Pick = greedy,
        on_text: Callable[[str], None] = lambda _: None,
        enough: Callable[[str], bool] = lambda _: False,
    ) -> ChatAnswer:
        """Go on after ``messages`` with the likeliest answer, or as ``pick`` chooses its tokens.

        What it is to ``begin`` with is put into its mouth: small models keep to a form that has been begun.
        ``on_text`` is given the answer piece by piece, each of whole characters; ``enough`` all of it so far, and may
        end it.

        Raises:
            Cancelled: ``cancel`` was set; what was computed stays.
            ModelError: the model failed.
            UsageError: the messages leave no room for an answer.
        """
        cancel.check()
        started = time.perf_counter()
        prompt = [*self._chat.encode(messages), *self._engine.encode(begin)]
        tokenized = time.perf_counter()
        cache = self._room_for(len(prompt))
        decoder = Decoder(self._model, cache, cancel, self._draft_length)
        limit = min(max_tokens, self.room - len(prompt))
        ids: list[int] = []
        self._begun, self._choices = begin, []
        text, stopped_by = begin, "stop-token"
        healing = TokenHealing(self._engine.vocabulary, "")
        stops = self._engine.stop_tokens
        with closing(decoder.generate(prompt, healing, max_tokens=limit, stop_tokens=stops, pick=pick)) as choices:
            for choice in choices:
                ids.append(choice.token)
                self._choices.append(choice)
                said = begin + self._engine.text(ids)
                if said != text:
                    on_text(said[len(text) :])
                    text = said
                if enough(text):
                    stopped_by = "enough"
                    break
                if len(ids) == limit:
                    stopped_by = "max-tokens"
        seconds = time.perf_counter() - tokenized
        return ChatAnswer(
            text=text,
            stopped_by=stopped_by,
            model=self._engine.bundle.manifest.name,
            prompt_tokens=len(prompt),
            reused_tokens=min(decoder.reused_tokens, len(prompt)),
            tokens=len(ids),
            milliseconds={
                "tokenize": round((tokenized - started) * 1000, 2),
                "prefill": round(decoder.prefill_seconds * 1000, 2),
                "decode": round((seconds - decoder.prefill_seconds) * 1000, 2),
            },
        )

    def runner_up_beginnings(self) -> list[str]:
        """Return what other answers than the last one begin with: it up to some token, and the next in line for that.

        Those whose token was nearest to being chosen come first. Code that a model copies, though it knows that
        something is wrong with it, is left where it hesitated.
        """
        stops = self._engine.stop_tokens
        ids = [choice.token for choice in self._choices]
        places = [
            n for n, choice in enumerate(self._choices) if choice.runner_up >= 0 and choice.runner_up not in stops
        ]
        places.sort(key=lambda n: self._choices[n].logprob - self._choices[n].runner_up_logprob)
        return [self._begun + self._engine.text([*ids[:n], self._choices[n].runner_up]) for n in places]

    def doubts(self, messages: Sequence[Message], text: str, cancel: CancelFlag, *, begin: str = "") -> list[Doubt]:
        """Return where the model, asked ``messages``, would answer something else than ``begin`` and ``text``.

        The text is read, not written: this takes no longer than its prompt does.

        Raises:
            Cancelled: ``cancel`` was set; what was computed stays.
            ModelError: the model failed.
            UsageError: there is no room for both.
        """
        cancel.check()
        prompt = [*self._chat.encode(messages), *self._engine.encode(begin)]
        ids = self._engine.encode(text)
        cache = self._room_for(len(prompt) + len(ids))
        Decoder(self._model, cache, cancel, self._draft_length).warm_up(prompt[:-1])
        found: list[Doubt] = []
        last = prompt[-1]
        for start in range(0, len(ids), _READ_AT_ONCE):
            chunk = ids[start : start + _READ_AT_ONCE]
            logits = self._model.step([last, *chunk[:-1]], cache, len(chunk), cancel)  # (len(chunk), V)
            for number, (row, token) in enumerate(zip(logits, chunk, strict=True), start):
                runner_up = greedy(row)
                if runner_up != token and runner_up not in self._engine.stop_tokens:
                    odds = math.exp(min(float(row[runner_up] - row[token]), _MOST_LOGARITHM))
                    found.append(Doubt(len(self._engine.text(ids[:number])), self._engine.text([runner_up]), odds))
            last = chunk[-1]
        return found

    def _room_for(self, tokens: int) -> KvCache:
        if tokens >= self.room:
            raise UsageError(f"{tokens} tokens are more than the {self.room} there is room for: select less.")
        if self._cache is None:
            self._cache = self._model.new_cache(self.room)
        return self._cache
