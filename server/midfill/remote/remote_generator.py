"""Has a server generate tokens, and the model on this machine go on where the server fails.

A server knows nothing of a required prefix (token healing). It generates as it likes, and names the likeliest tokens
with their log-probabilities. The first of them that fits the prefix is the token that is wanted; if the server has
chosen another one, it is asked again from there. If none of them fits, it is asked for one of those that do.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing

from midfill.common.cancel import CancelFlag
from midfill.common.errors import RemoteUnavailable
from midfill.inference.sampling import Choice
from midfill.inference.token_generator import (
    GenerationRequest,
    GenerationStats,
    ScoredToken,
    TokenGenerator,
    TokenStream,
)
from midfill.inference.token_healing import TokenHealing
from midfill.inference.tokenizer import ModelTokenizer
from midfill.remote.answers import Question, ServedToken, settle
from midfill.remote.event_stream import Patience
from midfill.remote.running_answer import LatestAnswer, RunningAnswer
from midfill.remote.server import Server

_LIKELIEST = 10
"""How many of the likeliest tokens a server names: enough for one to fit a prefix."""
_AHEAD_SECONDS, _SCORE_SECONDS = 10.0, 60.0
"""How long a server may take for a prompt that nobody waits for, and for the scores of a text."""


class RemoteGenerator:
    """Asks a server for tokens: a :class:`midfill.inference.token_generator.TokenGenerator`."""

    def __init__(
        self,
        server: Server,
        tokenizer: ModelTokenizer,
        vocabulary: int,
        patience: float,
        local: Callable[[], TokenGenerator] | None = None,
        local_name: str = "",
    ) -> None:
        """Ask ``server``.

        Args:
            server: the server. It may be away.
            tokenizer: the tokenizer of its model.
            vocabulary: number of token ids of its model.
            patience: seconds to wait for each token.
            local: returns a generator on this machine, which goes on where the server fails.
            local_name: the name of that generator's model.
        """
        self._server = server
        self._tokenizer = tokenizer
        self._vocabulary = vocabulary
        self._patience = patience
        self._local = local
        self._local_name = local_name
        self._latest = LatestAnswer()

    def generate(self, request: GenerationRequest, cancel: CancelFlag) -> TokenStream:
        """See :meth:`midfill.inference.token_generator.TokenGenerator.generate`."""
        stats = GenerationStats()
        return TokenStream(self._generate(request, cancel, stats), stats)

    def prefill(self, prompt: Sequence[int], document: str, cancel: CancelFlag) -> None:
        """See :meth:`midfill.inference.token_generator.TokenGenerator.prefill`.

        The server keeps what it computes of the prompt for as long as it likes.
        """
        try:
            with closing(self._served(Question(prompt=prompt, max_tokens=1), _AHEAD_SECONDS, cancel)) as served:
                for _ in served:
                    pass
        except RemoteUnavailable:  # nobody waits for it, and it was logged
            if self._local is not None:
                self._local().prefill(prompt, document, cancel)

    def score(self, prompt: Sequence[int], text: Sequence[int], cancel: CancelFlag) -> Iterator[ScoredToken]:
        """See :meth:`midfill.inference.token_generator.TokenGenerator.score`."""
        done = 0
        try:
            for score in self._served_scores(prompt, text, cancel):
                done += 1
                yield score
        except RemoteUnavailable:
            if self._local is None:
                raise
            yield from self._local().score([*prompt, *text[:done]], text[done:], cancel)

    def _generate(self, request: GenerationRequest, cancel: CancelFlag, stats: GenerationStats) -> Generator[Choice]:
        progress = _Progress(request, self._tokenizer)
        try:
            yield from self._from_server(progress, cancel, stats)
        except RemoteUnavailable:
            if self._local is None:
                raise
        else:
            return
        stats.model = self._local_name
        with closing(self._local().generate(progress.rest(), cancel)) as stream:
            for choice in stream:
                stats.reused_tokens, stats.prefill_seconds = stream.stats.reused_tokens, stream.stats.prefill_seconds
                yield choice

    def _from_server(self, progress: _Progress, cancel: CancelFlag, stats: GenerationStats) -> Generator[Choice]:
        """Yield the tokens that the server generates.

        Raises:
            Cancelled: ``cancel`` was set.
            RemoteUnavailable: the server fails.
        """
        started = time.perf_counter()
        stop_tokens = progress.request.stop_tokens
        is_narrow = False  # whether the server is asked for one of the tokens that the prefix allows
        while not progress.is_complete:
            question = progress.question(is_narrow=is_narrow)
            choice = None
            with closing(self._served(question, self._patience, cancel)) as served:
                for token in served:
                    choice = progress.settle(token)
                    if choice is None:
                        break
                    stats.prefill_seconds = stats.prefill_seconds or time.perf_counter() - started
                    if choice.token in stop_tokens:
                        return
                    progress.take(choice)
                    yield choice
                    if progress.is_complete or choice.token != token.token:
                        break
                else:
                    if not is_narrow:
                        if progress.is_spelt:
                            return
                        choice = None  # it has ended within the prefix
            if choice is None and is_narrow:  # the server does not heed what it may choose from
                yield from progress.spell()
            is_narrow = choice is None and not is_narrow

    def _served(self, question: Question, seconds: float, cancel: CancelFlag) -> Generator[ServedToken]:
        """Yield the tokens of the server for one question, not more than were asked for."""
        with self._server.watched() as succeeded:
            found, connection = self._server.ready(0.0 if self._local else seconds)
            _require_room(self._server, found.context, len(question.prompt) + question.max_tokens)

            def ask(question: Question) -> RunningAnswer:
                stream = connection.open(found.dialect.path, found.dialect.request(question), question.max_tokens)
                return RunningAnswer(question, stream, found.dialect, self._vocabulary)

            with closing(self._latest.tokens(question, ask, Patience(seconds), cancel)) as tokens:
                for token in tokens:
                    succeeded()
                    yield token

    def _served_scores(self, prompt: Sequence[int], text: Sequence[int], cancel: CancelFlag) -> Iterator[ScoredToken]:
        with self._server.watched() as succeeded:
            found, connection = self._server.ready(0.0 if self._local else self._patience)
            _require_room(self._server, found.context, len(prompt) + len(text) + 1)
            done = 0
            for body in found.dialect.scoring_requests(prompt, text):
                answer = connection.ask(found.dialect.path, body, _SCORE_SECONDS, cancel)
                succeeded()
                scores = found.dialect.read_scores(answer, text[done:], self._vocabulary)
                done += len(scores)
                yield from scores


class _Progress:
    """How far a request is."""

    def __init__(self, request: GenerationRequest, tokenizer: ModelTokenizer) -> None:
        self.request = request
        self._tokenizer = tokenizer
        self._healing = TokenHealing(tokenizer.vocabulary, request.required_prefix)
        self._taken: list[int] = []

    @property
    def is_complete(self) -> bool:
        """Whether no more tokens are wanted."""
        deadline = self.request.deadline
        return len(self._taken) >= self.request.max_tokens or bool(deadline and deadline.has_passed)

    @property
    def is_spelt(self) -> bool:
        """Whether the required prefix is complete."""
        return not self._healing.missing

    def question(self, *, is_narrow: bool) -> Question:
        """Return what to ask for next; ``is_narrow``: for one token, of those that the prefix allows."""
        rest, missing = self.rest(), self._healing.missing
        return Question(
            prompt=rest.prompt,
            max_tokens=1 if is_narrow else rest.max_tokens,
            stop_tokens=sorted(rest.stop_tokens),
            sampling=rest.sampling,
            likeliest=_LIKELIEST,
            allowed=self._healing.allowed() if is_narrow else None,
            spelling=missing,
        )

    def rest(self) -> GenerationRequest:
        """Return the request for what is missing."""
        return self.request.after(self._taken, self._healing.missing)

    def settle(self, served: ServedToken) -> Choice | None:
        """Return the choice that a served token stands for: see :func:`midfill.remote.answers.settle`."""
        return settle(served, self._healing.allowed(), is_greedy=self.request.sampling is None)

    def take(self, choice: Choice) -> None:
        """Continue after ``choice``."""
        if self.request.deadline:
            self.request.deadline.start()
        self._taken.append(choice.token)
        self._healing.take(choice.token)

    def spell(self) -> Iterator[Choice]:
        """Yield the tokens of what is missing of the prefix, as the tokenizer has them: nobody chose them."""
        for token in self._tokenizer.encode(self._healing.missing):
            if not self.is_complete:
                choice = Choice(token, 0.0, -1, -math.inf)
                self.take(choice)
                yield choice


def _require_room(server: Server, context: int, tokens: int) -> None:
    """Refuse a request for which the server's model has no room.

    Raises:
        RemoteUnavailable: it has none.
    """
    if context and tokens > context:
        why = f"its model takes {context:,} tokens, and this request needs {tokens:,}: lower 'contextTokens'"
        raise RemoteUnavailable(str(server), why)
