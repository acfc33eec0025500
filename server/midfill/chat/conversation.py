"""Questions and answers with a model's chat template.

Each prompt begins with the turns before it, so the KV cache of one answer serves the next. Drafts are looked up in the
prompt: code that is to change a little mostly stays as it is.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from midfill.common.cancel import CancelFlag
from midfill.common.errors import UsageError
from midfill.inference.preemption import Steps
from midfill.inference.sampling import Choice, Sampling
from midfill.inference.token_generator import GenerationRequest, LanguageModel
from midfill.prompt.chat_template import Chat, Message
from midfill.settings.schema import Settings

MAX_CONTEXT = 8_192
"""Maximum number of tokens of all turns together. Memory grows with use: 25 MB for 1,000 tokens of the 0.5B."""
MAX_ANSWER_TOKENS = 1_024
"""Maximum number of tokens of one answer, unless the caller says otherwise."""
_MAX_MARGIN = 50.0
"""In nats; a larger one would overflow as odds."""


@dataclass(frozen=True)
class Doubt:
    """A place of a text where the model would write something else."""

    offset: int
    """In characters from the start of the text."""
    instead: str
    """The token that the model finds most likely there."""
    odds: float
    """How many times likelier it is than the token of the text."""


@dataclass(frozen=True, kw_only=True)
class ChatAnswer:
    """An answer, and what it took."""

    text: str
    """The text, with the beginning that was given."""
    stopped_by: str
    """``stop-token``, ``max-tokens``, or ``enough`` if the caller had what it wanted."""
    model: str
    prompt_tokens: int
    reused_tokens: int
    """Tokens of the prompt that were found in the KV cache."""
    tokens: int
    milliseconds: dict[str, float] = field(default_factory=dict)
    """Time of each stage: tokenize, prefill, decode."""


class Conversation:
    """Answers with one model, in KV caches of its own; for one thread at a time."""

    def __init__(
        self,
        model: LanguageModel,
        room: int = MAX_CONTEXT,
        *,
        max_draft_tokens: int | None = None,
        steps: Steps | None = None,
    ) -> None:
        """Begin a conversation.

        Args:
            model: answers.
            room: maximum number of tokens of all turns together; the model's context length bounds it.
            max_draft_tokens: maximum number of draft tokens checked in one step; None for the default setting.
            steps: make each step wait behind typing; None computes at once.

        Raises:
            ModelError: the model has no chat template.
        """
        manifest, tokenizer = model.manifest, model.tokenizer
        self.manifest = manifest
        """What is known about the model."""
        self._tokenizer = tokenizer
        self._name = manifest.name
        self._chat = Chat(
            manifest.chat_template,
            tokenizer.control_token_texts(),
            tokenizer.encode,
            tokenizer.spell(manifest.stop_tokens[:1]),
        )
        self.room = min(room, manifest.usable_context)
        self._generator = model.new_generator(
            context=self.room,
            cache_bytes=0,  # one cache
            max_draft_tokens=Settings().draft_tokens if max_draft_tokens is None else max_draft_tokens,
            steps=steps,
        )
        self._begin = ""
        self._choices: list[Choice] = []
        """The tokens of the last answer, after its given beginning."""

    def count(self, text: str) -> int:
        """Return the number of tokens of ``text``."""
        return len(self._tokenizer.encode(text))

    def answer(
        self,
        messages: Sequence[Message],
        cancel: CancelFlag,
        *,
        max_tokens: int = MAX_ANSWER_TOKENS,
        begin: str = "",
        sampling: Sampling | None = None,
        on_text: Callable[[str], None] = lambda _: None,
        enough: Callable[[str], bool] = lambda _: False,
    ) -> ChatAnswer:
        """Answer ``messages``.

        Args:
            messages: all turns so far.
            cancel: stops the answer within a step.
            max_tokens: of the answer.
            begin: the beginning of the answer. Small models keep to a form that has begun.
            sampling: how to draw tokens at random; None takes the most likely one each time.
            on_text: called with each new piece of the answer, in whole characters.
            enough: called with the whole answer so far; it may end the answer.

        Raises:
            Cancelled: ``cancel`` was set; what was computed stays.
            ModelError: the model failed.
            UsageError: the messages leave no room for an answer.
        """
        cancel.check()
        started = time.perf_counter()
        prompt = [*self._chat.encode(messages), *self._tokenizer.encode(begin)]
        tokenized = time.perf_counter()
        self._check_room(len(prompt))
        limit = min(max_tokens, self.room - len(prompt))
        request = GenerationRequest(
            prompt=prompt, max_tokens=limit, stop_tokens=self._tokenizer.stop_tokens, sampling=sampling
        )
        ids: list[int] = []
        self._begin, self._choices = begin, []
        text, stopped_by = begin, "stop-token"
        stream = self._generator.generate(request, cancel)
        with closing(stream):
            for choice in stream:
                ids.append(choice.token)
                self._choices.append(choice)
                longer = begin + self._tokenizer.text(ids)
                if longer != text:
                    on_text(longer[len(text) :])
                    text = longer
                if enough(text):
                    stopped_by = "enough"
                    break
                if len(ids) == limit:
                    stopped_by = "max-tokens"
        seconds = time.perf_counter() - tokenized
        return ChatAnswer(
            text=text,
            stopped_by=stopped_by,
            model=self._name,
            prompt_tokens=len(prompt),
            reused_tokens=min(stream.stats.reused_tokens, len(prompt)),
            tokens=len(ids),
            milliseconds={
                "tokenize": round((tokenized - started) * 1000, 2),
                "prefill": round(stream.stats.prefill_seconds * 1000, 2),
                "decode": round((seconds - stream.stats.prefill_seconds) * 1000, 2),
            },
        )

    def runner_up_beginnings(self) -> list[str]:
        """Return beginnings of other answers: the last answer up to a token, and that token's runner-up.

        The place where the runner-up was nearest to being chosen comes first. A model that copies code although
        something is wrong with it hesitates there.
        """
        stops = self._tokenizer.stop_tokens
        ids = [choice.token for choice in self._choices]
        places = [
            n for n, choice in enumerate(self._choices) if choice.runner_up >= 0 and choice.runner_up not in stops
        ]
        places.sort(key=lambda n: self._choices[n].logprob - self._choices[n].runner_up_logprob)
        return [self._begin + self._tokenizer.text([*ids[:n], self._choices[n].runner_up]) for n in places]

    def doubts(self, messages: Sequence[Message], text: str, cancel: CancelFlag, *, begin: str = "") -> list[Doubt]:
        """Return where the model, asked ``messages``, would answer something else than ``begin`` and ``text``.

        The text is scored, not generated: this takes no longer than a prefill of it.

        Raises:
            Cancelled: ``cancel`` was set; what was computed stays.
            ModelError: the model failed.
            UsageError: there is no room for both.
        """
        cancel.check()
        prompt = [*self._chat.encode(messages), *self._tokenizer.encode(begin)]
        ids = self._tokenizer.encode(text)
        self._check_room(len(prompt) + len(ids))
        found: list[Doubt] = []
        for number, score in enumerate(self._generator.score(prompt, ids, cancel)):
            if score.margin > 0 and score.likeliest not in self._tokenizer.stop_tokens:
                odds = math.exp(min(score.margin, _MAX_MARGIN))
                offset = len(self._tokenizer.text(ids[:number]))
                found.append(Doubt(offset, self._tokenizer.text([score.likeliest]), odds))
        return found

    def _check_room(self, tokens: int) -> None:
        if tokens >= self.room:
            raise UsageError(f"{tokens} tokens are more than the {self.room} there is room for: select less.")
