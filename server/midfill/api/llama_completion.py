"""`/completion` as llama-server defines it: a text or token ids in, their continuation out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from midfill.api.answer import Json
from midfill.api.continuation import Continuation, Piece
from midfill.api.fields import Fields
from midfill.api.gap_fields import MAX_STOPS
from midfill.api.llama_json import Figures, last_part, selected
from midfill.api.model_worker import ModelWorker
from midfill.api.prompt_fields import max_tokens, prompt_ids
from midfill.api.sampling_fields import sampling_of
from midfill.inference.sampling import Choice
from midfill.inference.token_generator import Deadline, GenerationRequest, LanguageModel

_MAX_PATHS = 64
_MAX_LOGPROBS = 100
_MAX_MILLISECONDS = 10**9
_UNSUPPORTED = ("grammar", "json_schema", "lora")


class LlamaCompletion:
    """The continuation of a prompt: a :class:`midfill.api.answer.Answer`."""

    last_event = ""

    def __init__(self, fields: Fields, model: LanguageModel, worker: ModelWorker) -> None:
        """Read the request.

        Raises:
            RequestError: a field is wrong, or asks for what Midfill cannot do.
        """
        for name in _UNSUPPORTED:
            if fields.get(name):
                raise fields.refuse(name, "is not supported: leave it out.")
        self._prompt = prompt_ids(fields, model)
        milliseconds = fields.whole("t_max_predict_ms", 0, 0, _MAX_MILLISECONDS)
        generation = GenerationRequest(
            prompt=self._prompt,
            max_tokens=max_tokens(fields, "n_predict", -1, model.manifest.usable_context - len(self._prompt)),
            stop_tokens=model.tokenizer.stop_tokens,
            sampling=sampling_of(fields),
            deadline=Deadline(milliseconds / 1000 if milliseconds else None),
        )
        self.streamed = fields.flag("stream")
        self._logprobs = fields.whole("n_probs", 0, 0, _MAX_LOGPROBS)
        self._with_ids = fields.flag("return_tokens")
        self._paths = fields.texts("response_fields", _MAX_PATHS)
        self._model = model
        self._continuation = Continuation(worker, model.tokenizer, generation, fields.texts("stop", MAX_STOPS))

    async def whole(self) -> Json:
        """See :meth:`midfill.api.answer.Answer.whole`."""
        async with aclosing(self._continuation.pieces()) as pieces:
            found = [piece async for piece in pieces]
        return selected({**self._end("".join(piece.text for piece in found)), **self._tokens(found)}, self._paths)

    async def events(self) -> AsyncGenerator[Json, None]:
        """Yield an event for each token, and one with the figures."""
        async with aclosing(self._continuation.pieces()) as pieces:
            async for piece in pieces:
                yield {"index": 0, "content": piece.text, "tokens": [], "stop": False, **self._tokens([piece])}
        yield selected(self._end(""), self._paths)

    def _tokens(self, pieces: list[Piece]) -> Json:
        choices = [piece.choice for piece in pieces if piece.choice is not None]
        found: Json = {}
        if self._with_ids:
            found["tokens"] = [choice.token for choice in choices]
        if self._logprobs:
            found["completion_probabilities"] = [self._probabilities(choice) for choice in choices]
        return found

    def _probabilities(self, choice: Choice) -> Json:
        """Return a token's log-probability, and those of the likely ones: Midfill knows it and the best other one."""
        chosen = self._named(choice.token, choice.logprob)
        top = [chosen]
        if self._logprobs > 1 and choice.runner_up >= 0:
            top.append(self._named(choice.runner_up, choice.runner_up_logprob))
        return {**chosen, "top_logprobs": sorted(top, key=lambda each: -each["logprob"])}

    def _named(self, token: int, logprob: float) -> Json:
        return {"id": token, "token": self._model.tokenizer.spell([token]), "logprob": logprob}

    def _end(self, text: str) -> Json:
        done = self._continuation
        figures = Figures(
            prompt=len(self._prompt),
            cached=done.stats.reused_tokens,
            prompt_seconds=done.stats.prefill_seconds,
            generated=done.tokens,
            generation_seconds=done.seconds,
        )
        name = self._model.manifest.name
        return last_part(name, text, figures, stopped_by=done.stopped_by, was_cut=done.was_cut)
