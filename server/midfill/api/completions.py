"""`/v1/completions` as OpenAI and vLLM define it: a text or token ids in, their continuation out."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from midfill.api.answer import Json
from midfill.api.completion_json import completion_head, usage
from midfill.api.continuation import Continuation, Piece
from midfill.api.fields import Fields
from midfill.api.gap_fields import MAX_STOPS
from midfill.api.model_worker import ModelWorker
from midfill.api.prompt_fields import max_tokens, prompt_ids
from midfill.api.required_text import required_text
from midfill.api.sampling_fields import sampling_of
from midfill.inference.sampling import Choice
from midfill.inference.token_generator import GenerationRequest, LanguageModel

_USUAL_TOKENS = 16
"""What OpenAI generates at most if a request does not say how much."""
_MAX_LOGPROBS = 100
_UNSUPPORTED = {"n": 1, "best_of": 1, "echo": False, "use_beam_search": False, "ignore_eos": False}
"""Fields with which a request asks for what Midfill cannot do, unless they have this value."""


@dataclass(frozen=True, kw_only=True)
class CompletionRequest:
    """A request, read and checked."""

    prompt: list[int]
    max_tokens: int
    stop_tokens: frozenset[int]
    stops: list[str]
    logprobs: int | None
    """Number of likely tokens to name at each place; None for no log-probabilities."""
    names_are_ids: bool
    """Whether log-probabilities name a token by its id instead of its text."""
    with_ids: bool
    """Whether to return the token ids as well."""
    stream: bool
    with_usage: bool
    """Whether a stream ends with the number of tokens."""
    with_scores: bool
    """Whether to say how likely each token of the prompt is."""


def check_supported(fields: Fields) -> None:
    """Check that a request asks for nothing that Midfill cannot do.

    Raises:
        RequestError: it does.
    """
    for name, only in _UNSUPPORTED.items():
        if fields.get(name) not in (None, only):
            raise fields.refuse(name, f"must be {json.dumps(only)}: Midfill supports nothing else.")


def read(fields: Fields, model: LanguageModel) -> tuple[CompletionRequest, GenerationRequest]:
    """Read a request for the continuation of a prompt.

    Raises:
        RequestError: a field is wrong, or asks for what Midfill cannot do.
    """
    prompt = prompt_ids(fields, model)
    options = fields.nested("stream_options")
    wanted = fields.get("logprobs")
    stop_ids = fields.ids("stop_token_ids", model.manifest.vocabulary, 1000)
    asked = CompletionRequest(
        prompt=prompt,
        max_tokens=max_tokens(fields, "max_tokens", _USUAL_TOKENS, model.manifest.usable_context - len(prompt)),
        stop_tokens=model.tokenizer.stop_tokens | frozenset(stop_ids),
        stops=fields.texts("stop", MAX_STOPS),
        logprobs=None if wanted is None else fields.whole("logprobs", 0, 0, _MAX_LOGPROBS),
        names_are_ids=fields.flag("return_tokens_as_token_ids"),
        with_ids=fields.flag("return_token_ids"),
        stream=fields.flag("stream"),
        with_usage=options is not None and options.flag("include_usage"),
        with_scores=fields.whole("prompt_logprobs", -1, -1, _MAX_LOGPROBS) >= 0,
    )
    if asked.with_scores and asked.stream:
        raise fields.refuse("prompt_logprobs", "is not possible in a stream.")
    generation = GenerationRequest(
        prompt=prompt,
        max_tokens=asked.max_tokens,
        stop_tokens=asked.stop_tokens,
        sampling=sampling_of(fields),
        required_prefix=required_text(fields, model.tokenizer.vocabulary, model.manifest.vocabulary, asked.max_tokens),
    )
    return asked, generation


class ContinuedCompletion:
    """The continuation of a prompt: a :class:`midfill.api.answer.Answer`."""

    last_event = "[DONE]"

    def __init__(
        self, asked: CompletionRequest, generation: GenerationRequest, worker: ModelWorker, model: LanguageModel
    ) -> None:
        self._asked = asked
        self._worker = worker
        self._tokenizer = model.tokenizer
        self._continuation = Continuation(worker, model.tokenizer, generation, asked.stops)
        self._head = completion_head(model.manifest.name)
        self.streamed = asked.stream
        self._length = 0

    async def whole(self) -> Json:
        """See :meth:`midfill.api.answer.Answer.whole`."""
        async with aclosing(self._continuation.pieces()) as pieces:
            found = [piece async for piece in pieces]
        choice = self._choice("".join(piece.text for piece in found), found)
        scores = await self._scores() if self._asked.with_scores else {}
        return {**self._head, "choices": [{**choice, **self._end(), **scores}], "usage": self._usage()}

    async def events(self) -> AsyncGenerator[Json, None]:
        """Yield an event for each token, and one that says why the text ended."""
        async with aclosing(self._continuation.pieces()) as pieces:
            async for piece in pieces:
                yield {**self._head, "choices": [{**self._choice(piece.text, [piece]), "finish_reason": None}]}
        yield {**self._head, "choices": [{**self._choice("", []), **self._end()}]}
        if self._asked.with_usage:
            yield {**self._head, "choices": [], "usage": self._usage()}

    async def _scores(self) -> Json:
        """Return how likely each token of the prompt is, and which one is likeliest at its place."""
        prompt = self._asked.prompt
        found: list[Json | None] = [None]  # the first token has nothing before it
        for token, score in zip(prompt[1:], await self._worker.score(prompt), strict=True):
            found.append(
                {
                    str(score.likeliest): self._scored(score.likeliest, score.logprob + score.margin, 1),
                    str(token): self._scored(token, score.logprob, 1 if token == score.likeliest else None),
                }
            )
        return {"prompt_logprobs": found}

    def _scored(self, token: int, logprob: float, rank: int | None) -> Json:
        return {"logprob": logprob, "rank": rank, "decoded_token": self._tokenizer.spell([token])}

    def _choice(self, text: str, pieces: list[Piece]) -> Json:
        choices = [piece.choice for piece in pieces if piece.choice is not None]
        found: Json = {"index": 0, "text": text, "logprobs": None}
        if self._asked.logprobs is not None and choices:
            found["logprobs"] = self._logprobs(choices, self._asked.logprobs)
        if self._asked.with_ids:
            found["token_ids"] = [choice.token for choice in choices]
        return found

    def _logprobs(self, choices: list[Choice], most: int) -> Json:
        """Return log-probabilities: of the tokens, and of up to ``most`` likely ones at each place.

        Midfill knows two tokens at a place: the chosen one and the best other one.
        """
        names = [self._name(choice.token) for choice in choices]
        offsets = []
        for choice in choices:
            offsets.append(self._length)
            self._length += len(self._tokenizer.spell([choice.token]))
        tops = []
        for name, choice in zip(names, choices, strict=True):
            top = {name: choice.logprob}
            if most > 1 and choice.runner_up >= 0:
                top.setdefault(self._name(choice.runner_up), choice.runner_up_logprob)
            tops.append(top)
        return {
            "tokens": names,
            "token_logprobs": [choice.logprob for choice in choices],
            "top_logprobs": tops,
            "text_offset": offsets,
        }

    def _name(self, token: int) -> str:
        return f"token_id:{token}" if self._asked.names_are_ids else self._tokenizer.spell([token])

    def _end(self) -> Json:
        reason = "length" if self._continuation.was_cut else "stop"
        return {"finish_reason": reason, "stop_reason": self._continuation.stopped_by}

    def _usage(self) -> Json:
        continuation = self._continuation
        return usage(len(self._asked.prompt), continuation.tokens, continuation.stats.reused_tokens)
