"""OpenAI's ``/v1/completions``, with what vLLM adds to it: prompts and tokens as ids, and stop tokens.

The names are those of vLLM's documentation, "OpenAI-Compatible Server". A server uses the sampling parameters of its
model's ``generation_config.json`` where a request has none, so each request has all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from midfill.inference.token_generator import ScoredToken
from midfill.remote.answers import Answer, BadAnswer, Question, ServedToken, log_probability, ranked, token_id

_ID = re.compile(r"token_id:(\d{1,9})")
_NO_PENALTIES = {
    "min_p": 0.0,
    "repetition_penalty": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
}


class OpenAiDialect:
    """Asks a model of an OpenAI-compatible server: a :class:`midfill.remote.answers.Dialect`."""

    path = "/v1/completions"

    def __init__(self, model: str) -> None:
        """Ask the model that the server calls ``model``."""
        self._model = model

    def request(self, question: Question) -> dict[str, Any]:
        """See :class:`midfill.remote.answers.Dialect`."""
        body = {
            "model": self._model,
            "prompt": list(question.prompt),
            "max_tokens": question.max_tokens,
            "stream": True,
            "logprobs": question.likeliest,
            "return_tokens_as_token_ids": True,
            "stop_token_ids": list(question.stop_tokens),
            "skip_special_tokens": False,
            **_NO_PENALTIES,
        }
        if question.allowed is not None:
            body["allowed_token_ids"] = question.allowed.tolist()
        sampling = question.sampling
        if sampling is None:
            return {**body, "temperature": 0.0, "top_p": 1.0, "top_k": 0}
        drawn = {"temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": sampling.top_k}
        return {**body, **drawn, "seed": sampling.seed + sampling.drawn}

    def read(self, event: dict[str, Any], vocabulary: int) -> Answer:
        """See :class:`midfill.remote.answers.Dialect`."""
        choices = event.get("choices")
        if not isinstance(choices, list):
            raise BadAnswer("its answer has no choices")
        if not choices:  # the event about usage
            return Answer()
        choice = choices[0]
        if not isinstance(choice, dict):
            raise BadAnswer("its answer has no choices")
        found = choice.get("logprobs")
        tokens = _tokens(found, vocabulary) if found is not None else []
        has_ended = choice.get("finish_reason") is not None
        if not tokens and choice.get("text") and not has_ended:
            raise BadAnswer("its answer has no log-probabilities")
        return Answer(tokens, has_ended)

    def scoring_requests(self, prompt: Sequence[int], text: Sequence[int]) -> Iterator[dict[str, Any]]:
        """See :class:`midfill.remote.answers.Dialect`."""
        yield {
            "model": self._model,
            "prompt": [*prompt, *text],
            "max_tokens": 1,
            "temperature": 0.0,
            "prompt_logprobs": 1,
        }

    def read_scores(self, answer: dict[str, Any], text: Sequence[int], vocabulary: int) -> list[ScoredToken]:
        """See :class:`midfill.remote.answers.Dialect`."""
        try:
            places = answer["choices"][0]["prompt_logprobs"][-len(text) :]
        except (KeyError, IndexError, TypeError):
            places = []
        if len(places) != len(text):
            raise BadAnswer("its answer has no log-probabilities of the prompt")
        return [_score(place, token, vocabulary) for place, token in zip(places, text, strict=True)]


def _tokens(logprobs: Any, vocabulary: int) -> list[ServedToken]:
    """Return the tokens of one event, from what the protocol calls its ``logprobs``."""
    names = ("tokens", "token_logprobs", "top_logprobs")
    parts = [part for name in names if isinstance(part := logprobs.get(name), list)] if _is(logprobs) else []
    if len(parts) != len(names) or len({len(part) for part in parts}) != 1:
        raise BadAnswer("its answer has no log-probabilities")
    served = []
    for token, logprob, likeliest in zip(*parts, strict=True):
        if not _is(likeliest):
            raise BadAnswer("its answer has no log-probabilities")
        named = ((_id(name, vocabulary), log_probability(value)) for name, value in likeliest.items())
        served.append(ServedToken(_id(token, vocabulary), log_probability(logprob), ranked(named)))
    return served


def _score(place: Any, token: int, vocabulary: int) -> ScoredToken:
    """Return the score of a token of the prompt, from what vLLM says of its place."""
    if not _is(place):
        raise BadAnswer("its answer has no log-probabilities of the prompt")
    named = {}
    for name, value in place.items():
        number = int(name) if name.isdecimal() and len(name) < 10 else -1
        named[token_id(number, vocabulary)] = log_probability(value.get("logprob") if _is(value) else None)
    if token not in named:
        raise BadAnswer("its answer has no log-probabilities of the prompt")
    likeliest = min(named, key=lambda each: (-named[each], each))
    return ScoredToken(likeliest, named[likeliest] - named[token], named[token])


def _id(name: Any, vocabulary: int) -> int:
    found = _ID.fullmatch(name) if isinstance(name, str) else None
    if not found:
        raise BadAnswer("it names tokens by their texts: it must support `return_tokens_as_token_ids`, as vLLM does")
    return token_id(int(found[1]), vocabulary)


def _is(value: Any) -> bool:
    return isinstance(value, Mapping)
