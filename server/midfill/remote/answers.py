"""What is asked of a server, and what its answers say, whatever protocol it speaks."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

from midfill.inference.sampling import Choice, Sampling
from midfill.inference.token_generator import ScoredToken

_LEAST = -1e6
"""A log-probability below which no server rounds."""


class BadAnswer(ValueError):
    """An answer is not what the protocol has; the message is a clause that says so."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a server is asked for: tokens after a prompt."""

    prompt: Sequence[int]
    max_tokens: int
    stop_tokens: Sequence[int] = ()
    sampling: Sampling | None = None
    likeliest: int = 2
    """How many of the likeliest tokens the answer should name at each place."""
    allowed: NDArray[Any] | None = None
    """The ids of the tokens that the first one must be of; None for all."""
    spelling: str = ""
    """The text that the tokens of ``allowed`` begin to spell."""


class ServedToken(NamedTuple):
    """A token that a server generated."""

    token: int
    logprob: float
    """Natural logarithm of its probability among all tokens, at temperature 1; at most 0."""
    likeliest: tuple[tuple[int, float], ...]
    """The likeliest tokens at its place with their log-probabilities, the likeliest first. It may be one of them."""


@dataclass(frozen=True)
class Answer:
    """What one event of a stream says."""

    tokens: Sequence[ServedToken] = ()
    has_ended: bool = False


class Dialect(Protocol):
    """How one kind of server is asked. All methods raise :class:`BadAnswer` for what they cannot read."""

    @property
    def path(self) -> str:
        """The path of the requests for tokens."""

    def request(self, question: Question) -> dict[str, Any]:
        """Return the body that asks for a stream of tokens."""

    def read(self, event: dict[str, Any], vocabulary: int) -> Answer:
        """Return what an event says. The ids of its tokens are below ``vocabulary``."""

    def scoring_requests(self, prompt: Sequence[int], text: Sequence[int]) -> Iterator[dict[str, Any]]:
        """Yield the bodies of requests, none of them for a stream, whose answers score the tokens of ``text``."""

    def read_scores(self, answer: dict[str, Any], text: Sequence[int], vocabulary: int) -> list[ScoredToken]:
        """Return the scores that one answer has, of the first tokens of ``text``; at least one."""


def token_id(value: Any, vocabulary: int) -> int:
    """Return a token's id that an answer has."""
    if type(value) is not int or not 0 <= value < vocabulary:
        raise BadAnswer("it sends tokens that the model does not have: does 'bundle' have its model's tokenizer?")
    return value


def log_probability(value: Any) -> float:
    """Return a log-probability that an answer has; rounding may have made it more than 0."""
    if type(value) not in (int, float) or not _LEAST <= value <= 1:
        raise BadAnswer("its answer has no log-probabilities")
    return min(float(value), 0.0)


def ranked(likeliest: Iterator[tuple[int, float]]) -> tuple[tuple[int, float], ...]:
    """Return tokens with their log-probabilities, the likeliest first; of equal ones, that with the lower id."""
    return tuple(sorted(likeliest, key=lambda pair: (-pair[1], pair[0])))


def settle(served: ServedToken, allowed: NDArray[Any] | None, *, is_greedy: bool) -> Choice | None:
    """Return the choice among the tokens ``allowed``; None if the server must be asked again, for those alone.

    The likeliest allowed token is known if one of the likeliest tokens of all is allowed. Drawn tokens must be allowed
    themselves. Log-probabilities are those among the allowed tokens that the server has named.
    """
    named = dict(served.likeliest) | {served.token: served.logprob}
    if allowed is not None:
        named = {token: logprob for token, logprob in named.items() if (allowed == token).any()}
    token = served.token
    if token not in named:
        if not named or not is_greedy:
            return None
        token = min(named, key=lambda each: (-named[each], each))
    total = 0.0 if allowed is None else _log_sum(named.values())
    others = [each for each in named if each != token]
    runner_up = min(others, key=lambda each: (-named[each], each), default=-1)
    return Choice(
        token,
        min(named[token] - total, 0.0),
        runner_up,
        min(named[runner_up] - total, 0.0) if others else -math.inf,
    )


def _log_sum(values: Collection[float]) -> float:
    peak = max(values)
    return peak + math.log(sum(math.exp(value - peak) for value in values))
