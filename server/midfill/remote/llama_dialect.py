"""The ``/completion`` of llama-server (llama.cpp), whose README documents it under "POST /completion".

It has no list of stop tokens: the client ends at one. It keeps the prompts of its slots, and finds the slot whose
prompt begins like a new one by itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from midfill.inference.token_generator import ScoredToken
from midfill.remote.answers import Answer, BadAnswer, Question, ServedToken, log_probability, ranked, token_id

_SCORED_AMONG = 100
"""How many of the likeliest tokens are asked for at each place that is scored."""
_SEEDS = 1 << 32


class LlamaServerDialect:
    """Asks the model of a llama-server: a :class:`midfill.remote.answers.Dialect`."""

    path = "/completion"

    def __init__(self, encode: Callable[[str], list[int]], text: Callable[[int], str]) -> None:
        """Ask for tokens of the tokenizer whose ``encode`` returns ids, and whose ``text`` returns a token's text."""
        self._encode = encode
        self._text = text

    def request(self, question: Question) -> dict[str, Any]:
        """See :class:`midfill.remote.answers.Dialect`."""
        body = {
            "prompt": list(question.prompt),
            "n_predict": question.max_tokens,
            "stream": True,
            "n_probs": question.likeliest,
            "post_sampling_probs": False,
            "return_tokens": True,
            "cache_prompt": True,
            "id_slot": -1,
        }
        if question.spelling and question.allowed is not None:
            body["grammar"] = f"root ::= {json.dumps(question.spelling)} .*"
        sampling = question.sampling
        if sampling is None:
            return {**body, "samplers": ["top_k"], "top_k": 1, "temperature": 0.0}
        return {
            **body,
            "samplers": ["temperature", "top_k", "top_p"],
            "temperature": sampling.temperature,
            "top_k": sampling.top_k,
            "top_p": sampling.top_p,
            "seed": (sampling.seed + sampling.drawn) % _SEEDS,
        }

    def read(self, event: dict[str, Any], vocabulary: int) -> Answer:
        """See :class:`midfill.remote.answers.Dialect`."""
        has_ended = event.get("stop") is True
        if has_ended:  # its last event says again what the others have said
            return Answer((), has_ended)
        places = event.get("completion_probabilities", [])
        if not isinstance(places, list):
            raise BadAnswer("its answer has no log-probabilities")
        tokens = [_token(place, vocabulary) for place in places]
        content = event.get("content")
        if not tokens and content:
            raise BadAnswer("its answer has no log-probabilities")
        return Answer(self._completed(tokens, content if isinstance(content, str) else ""))

    def _completed(self, tokens: list[ServedToken], content: str) -> list[ServedToken]:
        """Add the tokens before the last one, if ``content`` has more than its text.

        A character of several tokens comes in one event, which names only the last of them.
        """
        if len(tokens) != 1 or content.isascii() or self._text(tokens[0].token) == content:
            return tokens
        *before, last = self._encode(content)
        if last != tokens[0].token:
            return tokens
        return [*(ServedToken(token, 0.0, ((token, 0.0),)) for token in before), tokens[0]]

    def scoring_requests(self, prompt: Sequence[int], text: Sequence[int]) -> Iterator[dict[str, Any]]:
        """See :class:`midfill.remote.answers.Dialect`. There is a request for each token."""
        for place in range(len(text)):
            question = Question(prompt=[*prompt, *text[:place]], max_tokens=1, likeliest=_SCORED_AMONG)
            yield {**self.request(question), "stream": False}

    def read_scores(self, answer: dict[str, Any], text: Sequence[int], vocabulary: int) -> list[ScoredToken]:
        """See :class:`midfill.remote.answers.Dialect`.

        A token that is not among those named counts as the least likely of them.
        """
        places = answer.get("completion_probabilities")
        if not isinstance(places, list) or not places:
            raise BadAnswer("its answer has no log-probabilities")
        served = _token(places[0], vocabulary)
        if not served.likeliest:
            raise BadAnswer("its answer has no log-probabilities")
        token, logprob = served.likeliest[0]
        named = dict(served.likeliest)
        given = named.get(text[0], served.likeliest[-1][1])
        return [ScoredToken(token, logprob - given, given)]


def _token(place: Any, vocabulary: int) -> ServedToken:
    """Return the token that one entry of ``completion_probabilities`` is about."""
    if not isinstance(place, dict) or not isinstance(place.get("top_logprobs"), list):
        raise BadAnswer("its answer has no log-probabilities")
    likeliest = ranked(_named(entry, vocabulary) for entry in place["top_logprobs"])
    return ServedToken(*_named(place, vocabulary), likeliest)


def _named(entry: Any, vocabulary: int) -> tuple[int, float]:
    if not isinstance(entry, dict):
        raise BadAnswer("its answer has no log-probabilities")
    return token_id(entry.get("id"), vocabulary), log_probability(entry.get("logprob"))
