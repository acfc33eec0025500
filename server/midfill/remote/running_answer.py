"""An answer that runs at a server, and what of it the next keystroke can use.

A keystroke supersedes the request before it, whose prompt is nearly the same. If that request were closed at once, a
slow server would begin to read the prompt anew at each key, and somebody who types on would never get an answer. So it
is left open, and the next request first looks at it. There is one at a time, so a server is not flooded.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace

from midfill.common.cancel import CancelFlag, Cancelled
from midfill.inference.kv_cache import common_prefix
from midfill.remote.answers import BadAnswer, Dialect, Question, ServedToken
from midfill.remote.event_stream import EventStream, Patience
from midfill.remote.failure import Failed

_FAREWELL_SECONDS = 1.0
"""How long a server that has sent all tokens may take to end its answer. Then the connection serves again."""
_MIN_SHARED = 1 / 2
"""The share of a prompt for which it is worth waiting until the server has read another one that begins like that."""


class RunningAnswer:
    """The tokens that a server generates for one question."""

    def __init__(self, question: Question, stream: EventStream, dialect: Dialect, vocabulary: int) -> None:
        """Read the tokens out of ``stream``, in which ``dialect`` names ids below ``vocabulary``."""
        self.question = question
        self.stream = stream
        self._dialect = dialect
        self._vocabulary = vocabulary
        self._tokens: list[ServedToken] = []
        self._has_ended = False

    @property
    def was_cut(self) -> bool:
        """Whether the answer has as many tokens as were asked for. It may have ended there for no other reason."""
        return len(self._tokens) >= self.question.max_tokens

    def token(self, place: int, patience: Patience, cancel: CancelFlag) -> ServedToken | None:
        """Return the token at ``place``, when it has come; None if the answer ends before it.

        Raises:
            Cancelled: ``cancel`` was set. Nothing is lost.
            Failed, BadAnswer: the server fails.
        """
        while len(self._tokens) <= place and not self._has_ended:
            event = self.stream.next(patience, cancel)
            answer = self._dialect.read(event, self._vocabulary) if event is not None else None
            if answer is not None:
                self._tokens += answer.tokens[: self.question.max_tokens - len(self._tokens)]
            self._has_ended = answer is None or answer.has_ended or self.was_cut
        return self._tokens[place] if place < len(self._tokens) else None

    def place_for(self, question: Question, patience: Patience, cancel: CancelFlag) -> int | None:
        """Return at which token the answer to ``question`` begins, when that is certain; None if it is not in here.

        Then the server has read the prompt, and need not read it again for the next question.

        Raises:
            Cancelled: ``cancel`` was set. Nothing is lost.
            Failed: the server is too slow.
        """
        ours, theirs = self.question.prompt, question.prompt
        typed = theirs[len(ours) :] if self._is_for(question) and common_prefix(ours, theirs) == len(ours) else None
        try:
            if typed is None:
                self.token(0, patience, cancel)
                return None
            for place, token in enumerate(typed):
                served = self.token(place, patience, cancel)
                if served is None or served.token != token:
                    return None
        except (Failed, BadAnswer) as error:
            if isinstance(error, Failed) and error.is_slow:
                raise
            return None  # the next question is not to blame
        return len(typed)

    def close(self) -> None:
        """End the answer."""
        self.stream.close(_FAREWELL_SECONDS if self._has_ended else 0.0)

    def _is_for(self, question: Question) -> bool:
        """Whether the server would choose the same tokens for ``question`` after the same prompt."""
        ours = self.question
        is_greedy = all(each.sampling is None and each.allowed is None for each in (ours, question))
        asks_alike = (ours.stop_tokens, ours.likeliest) == (question.stop_tokens, question.likeliest)
        return is_greedy and asks_alike


class LatestAnswer:
    """The one answer that runs for a generator; for one thread at a time."""

    def __init__(self) -> None:
        self._left: RunningAnswer | None = None

    def tokens(
        self, question: Question, ask: Callable[[Question], RunningAnswer], patience: Patience, cancel: CancelFlag
    ) -> Generator[ServedToken]:
        """Yield the tokens for ``question``: of the answer that was left, if they are in there, else of new ones.

        Close the iterator to end the answer. If ``cancel`` is set, but not urgently, the answer is left.

        Args:
            question: what to ask for.
            ask: asks the server.
            patience: how long the next token may take; it is renewed with each.
            cancel: ends the wait.

        Raises:
            Cancelled: ``cancel`` was set.
            Failed, BadAnswer: the server fails.
        """
        answer = self._take_up(question)
        while True:
            if answer is None:
                answer = ask(question)
            with self._reading(answer, cancel):
                place = 0 if answer.question is question else answer.place_for(question, patience, cancel)
                taken: list[int] = []
                while place is not None and len(taken) < question.max_tokens:
                    token = answer.token(place + len(taken), patience, cancel)
                    if token is None:
                        break
                    yield token
                    patience.renew()
                    taken.append(token.token)
            if len(taken) == question.max_tokens or (place is not None and not answer.was_cut):
                return
            rest = question.max_tokens - len(taken)
            question, answer = replace(question, prompt=[*question.prompt, *taken], max_tokens=rest), None

    def _take_up(self, question: Question) -> RunningAnswer | None:
        """Return the answer that was left, if it is of use for ``question``; else it is ended."""
        answer, self._left = self._left, None
        if answer is None or not answer.stream.take_up():
            return None
        if common_prefix(answer.question.prompt, question.prompt) < _MIN_SHARED * len(question.prompt):
            answer.close()
            return None
        return answer

    @contextmanager
    def _reading(self, answer: RunningAnswer, cancel: CancelFlag) -> Iterator[None]:
        """Read an answer during the block. Then it is ended; or left, if a request of the same document follows."""
        is_left = False
        try:
            yield
        except Cancelled:
            is_left = not cancel.urgent.is_set
            raise
        finally:
            if is_left:
                answer.stream.leave()
                self._left = answer
            else:
                answer.close()
