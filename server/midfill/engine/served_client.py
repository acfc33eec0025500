"""One client as its engine process sees it: a connection, a generator, and the thread that runs its requests.

A client sees only the answers to its own requests, and its KV caches are apart from those of others. One that does not
keep to the protocol loses its connection, and nobody else notices.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import numpy as np
from numpy.typing import NDArray

from midfill.common.cancel import CancelFlag, Cancelled
from midfill.common.errors import ModelChanged, ModelError
from midfill.common.logs import describe
from midfill.engine.connection import Connection
from midfill.engine.gate import Gate, Priority, Turns
from midfill.engine.messages import (
    Cancel,
    Ended,
    Figures,
    Generate,
    Message,
    Open,
    Ping,
    Pong,
    Prefill,
    Score,
    Token,
    Work,
)
from midfill.engine.recorded_times import RecordedTimes
from midfill.inference.prompt_lookup import SEPARATOR
from midfill.inference.token_generator import GenerationRequest, GenerationStats, LanguageModel
from midfill.sharing.connection import ConnectionLost

_MAX_DRAFT_TOKENS = 1_024
_MAX_PREFIX_CHARACTERS = 4_096
"""More than the longest text of a token has, which is all that token healing requires."""
_END_SECONDS = 10.0
"""Seconds in which a request surely stops, unless its client no longer reads."""
_log = logging.getLogger(__name__)


class ServedClient:
    """Answers one client, with the generator that it has opened."""

    def __init__(
        self,
        connection: Connection,
        model: LanguageModel,
        gate: Gate,
        opening: Open,
        on_work: Callable[[], None] = lambda: None,
        on_changed: Callable[[], None] = lambda: None,
    ) -> None:
        """Make the generator.

        Args:
            connection: to the client.
            model: makes the generator.
            gate: lets one step of the model run at a time.
            opening: what the client wants of its generator.
            on_work: called for each request.
            on_changed: called when another program has changed the model's weights, so that nothing can be computed.

        Raises:
            ConnectionLost: no server would open such a generator.
        """
        if not (0 < opening.context <= model.manifest.context_length):
            raise ConnectionLost
        if not (0 <= opening.max_draft_tokens <= _MAX_DRAFT_TOKENS and opening.cache_bytes >= 0):
            raise ConnectionLost
        self._connection = connection
        self._vocabulary = model.manifest.vocabulary
        self._context = opening.context
        self._on_work, self._on_changed = on_work, on_changed
        self._turns = Turns(gate)
        self._waited_for = Priority.ACTION if opening.long_work else Priority.TYPING
        self._times = RecordedTimes()
        self._generator = model.new_generator(
            context=opening.context,
            cache_bytes=opening.cache_bytes,
            max_draft_tokens=opening.max_draft_tokens,
            steps=self._turns,
            meter=self._times,
        )
        self._number, self._flag = 0, CancelFlag()
        """The newest request's number and flag."""
        self._inbox: queue.SimpleQueue[tuple[Work, CancelFlag] | None] = queue.SimpleQueue()

    def serve(self) -> None:
        """Answer requests until the client leaves.

        Raises:
            ConnectionLost: the client has left, or sent what no server sends.
        """
        worker = threading.Thread(target=self._work, name="midfill-requests", daemon=True)
        worker.start()
        try:
            while True:
                self._take(self._connection.receive())
        finally:
            self._flag.set("closed")
            self._inbox.put(None)
            worker.join(_END_SECONDS)

    def _take(self, message: Message) -> None:
        """Give a request to the worker, where it supersedes an older one; or stop one, or answer a question."""
        if isinstance(message, Cancel):
            if message.number == self._number:
                self._flag.set("cancelled", urgent=message.urgent)
            return
        if isinstance(message, Ping):
            self._connection.send(Pong())
            return
        if not isinstance(message, (Generate, Prefill, Score)) or not self._is_sound(message):
            raise ConnectionLost
        self._on_work()
        self._flag.set("superseded")
        self._number, self._flag = message.number, CancelFlag(urgent=CancelFlag())
        self._inbox.put((message, self._flag))

    def _is_sound(self, message: Work) -> bool:
        """Whether a request can neither harm the model nor take much memory."""
        texts = [message.prompt]
        if isinstance(message, Score):
            texts.append(message.text)
        if isinstance(message, Generate):
            texts.append(message.drafts[message.drafts != SEPARATOR])
            drawn = message.sampling.drawn if message.sampling else 0
            if not (0 < message.max_tokens <= self._context and 0 <= drawn <= self._context):
                return False
            if len(message.required_prefix) > _MAX_PREFIX_CHARACTERS:
                return False
        return len(message.prompt) > 0 and all(self._are_tokens(ids) for ids in texts)

    def _are_tokens(self, ids: NDArray[np.int32]) -> bool:
        return not len(ids) or (int(ids.min()) >= 0 and int(ids.max()) < self._vocabulary)

    # The methods below run on the client's worker.

    def _work(self) -> None:
        while (work := self._inbox.get()) is not None:
            with suppress(ConnectionLost):  # the thread that receives notices it, too
                self._connection.send(self._answer(*work))

    def _answer(self, message: Work, flag: CancelFlag) -> Ended:
        """Do a request, send its tokens, and return its end."""
        stats = GenerationStats()
        cancelled, failure = False, ""
        try:
            flag.check()
            for values in self._produce(message, flag, stats):
                self._connection.send(Token(number=message.number, values=values, figures=self._figures(stats)))
        except Cancelled:
            cancelled = True
        except ModelError as error:
            failure = str(error)
            if isinstance(error, ModelChanged):
                self._on_changed()
        except ConnectionLost:
            raise
        except Exception as error:  # whatever happens, the request is answered, and the next one is served
            _log.error("a request failed: %s", describe(error))
            failure = f"The engine process failed: {describe(error)}."
        return Ended(number=message.number, figures=self._figures(stats), cancelled=cancelled, failure=failure)

    def _produce(self, message: Work, flag: CancelFlag, stats: GenerationStats) -> Iterator[list[float]]:
        ahead = isinstance(message, Prefill) or (isinstance(message, Generate) and message.ahead)
        self._turns.priority = Priority.AHEAD if ahead else self._waited_for
        if isinstance(message, Prefill):
            self._generator.prefill(message.prompt.tolist(), message.document, flag)
        elif isinstance(message, Score):
            for score in self._generator.score(message.prompt.tolist(), message.text.tolist(), flag):
                yield list(score)
        else:
            stream = self._generator.generate(_request(message), flag)
            with closing(stream):
                for choice in stream:
                    vars(stats).update(vars(stream.stats))
                    yield list(choice)
            vars(stats).update(vars(stream.stats))  # there may be no token

    def _figures(self, stats: GenerationStats) -> Figures:
        return Figures(
            reused_tokens=stats.reused_tokens,
            prefill_seconds=stats.prefill_seconds,
            readings=self._times.take(),
        )


def _request(message: Generate) -> GenerationRequest:
    return GenerationRequest(
        prompt=message.prompt.tolist(),
        max_tokens=message.max_tokens,
        stop_tokens=frozenset(message.stop_tokens),
        document=message.document,
        required_prefix=message.required_prefix,
        drafts=message.drafts,
        sampling=message.sampling,
        ahead=message.ahead,
    )
