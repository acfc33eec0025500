"""A model in the engine process, as a server uses it; it has the manifest and the tokenizer, and no onnxruntime.

If the engine process ends during a request, the request goes on in another one, from the tokens that it has.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from itertools import count

import numpy as np

from midfill.common.cancel import CancelFlag, Cancelled
from midfill.common.errors import EngineUnavailable, ModelError
from midfill.engine.connection import Connection
from midfill.engine.engine_process import EngineProcess
from midfill.engine.heartbeat import receive
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
from midfill.inference.bundle import Manifest
from midfill.inference.preemption import Steps
from midfill.inference.prefill_throughput import speed_key
from midfill.inference.sampling import Choice
from midfill.inference.token_generator import (
    NO_METER,
    GenerationRequest,
    GenerationStats,
    PrefillMeter,
    ScoredToken,
    TokenStream,
)
from midfill.inference.token_healing import TokenHealing, Vocabulary
from midfill.inference.tokenizer import ModelTokenizer
from midfill.sharing.connection import ConnectionLost, Silence
from midfill.sharing.outbox import Outbox

_ENGINES_FOR_A_REQUEST = 2


class SharedModel:
    """The model of an engine process: a :class:`midfill.inference.token_generator.LanguageModel`."""

    def __init__(self, manifest: Manifest, tokenizer: ModelTokenizer, engine: EngineProcess) -> None:
        """Wait until the engine has loaded its model.

        Raises:
            EngineUnavailable: it cannot be started, or cannot load the model.
            ModelChanged: the bundle is another one by now.
        """
        self.manifest = manifest
        self.tokenizer = tokenizer
        self._engine = engine
        self._membership, self._ready = engine.connect()
        """The engine stays for as long as this connection."""

    @property
    def engine_process(self) -> int:
        """The process id of the engine."""
        return self._ready.process

    @property
    def speed_key(self) -> str:
        """See :attr:`midfill.inference.token_generator.LanguageModel.speed_key`."""
        return speed_key(self.manifest, self._ready.threads)

    def new_generator(
        self,
        *,
        context: int,
        cache_bytes: int,
        max_draft_tokens: int,
        steps: Steps | None = None,
        meter: PrefillMeter = NO_METER,
    ) -> SharedGenerator:
        """See :meth:`midfill.inference.token_generator.LanguageModel.new_generator`.

        The engine decides when each step runs, because it knows the other clients. So ``steps`` only says that typing
        goes first.
        """
        opening = Open(
            context=context,
            cache_bytes=cache_bytes,
            max_draft_tokens=max_draft_tokens,
            long_work=steps is not None,
        )
        return SharedGenerator(lambda lost: self._engine.connect(lost)[0], opening, self.tokenizer.vocabulary, meter)


class SharedGenerator:
    """Has the engine process run the model: a :class:`midfill.inference.token_generator.TokenGenerator`."""

    def __init__(
        self,
        connect: Callable[[Connection | None], Connection],
        opening: Open,
        vocabulary: Vocabulary,
        meter: PrefillMeter = NO_METER,
    ) -> None:
        """Connect with ``connect`` to an engine that is ready, and again when that has ended.

        ``connect`` is given the connection to an engine that stands still; None if there is none.
        """
        self._connect = connect
        self._opening = opening
        self._vocabulary = vocabulary
        self._meter = meter
        self._line: tuple[Connection, Outbox[Message]] | None = None
        """What is received from, and what is sent by."""
        self._numbers = count(1)

    def generate(self, request: GenerationRequest, cancel: CancelFlag) -> TokenStream:
        """See :meth:`midfill.inference.token_generator.TokenGenerator.generate`."""
        stats = GenerationStats()
        return TokenStream(self._generate(request, cancel, stats), stats)

    def prefill(self, prompt: Sequence[int], document: str, cancel: CancelFlag) -> None:
        """See :meth:`midfill.inference.token_generator.TokenGenerator.prefill`."""
        ids = np.asarray(prompt, np.int32)
        for _ in self._answers(lambda number: Prefill(number=number, document=document, prompt=ids), cancel):
            pass

    def score(self, prompt: Sequence[int], text: Sequence[int], cancel: CancelFlag) -> Iterator[ScoredToken]:
        """See :meth:`midfill.inference.token_generator.TokenGenerator.score`."""
        whole = np.asarray([*prompt, *text], np.int32)
        place = len(prompt)

        def message(number: int) -> Score:
            return Score(number=number, prompt=whole[:place], text=whole[place:])

        with closing(self._answers(message, cancel)) as answers:
            for values in answers:
                place += 1
                yield ScoredToken(int(values[0]), values[1], values[2])

    def _generate(self, request: GenerationRequest, cancel: CancelFlag, stats: GenerationStats) -> Generator[Choice]:
        healing = TokenHealing(self._vocabulary, request.required_prefix)
        taken: list[int] = []

        def message(number: int) -> Generate:
            rest = request.after(taken, healing.missing)
            return Generate(
                number=number,
                document=rest.document,
                max_tokens=rest.max_tokens,
                stop_tokens=sorted(rest.stop_tokens),
                required_prefix=rest.required_prefix,
                sampling=rest.sampling,
                ahead=rest.ahead,
                prompt=np.asarray(rest.prompt, np.int32),
                drafts=rest.drafts,
            )

        with closing(self._answers(message, cancel, stats)) as answers:
            for token, logprob, runner_up, runner_up_logprob in answers:
                choice = Choice(int(token), logprob, int(runner_up), runner_up_logprob)
                if request.deadline:
                    request.deadline.start()
                taken.append(choice.token)
                healing.take(choice.token)
                yield choice
                if len(taken) == request.max_tokens or (request.deadline and request.deadline.has_passed):
                    return

    def _answers(
        self, message: Callable[[int], Work], cancel: CancelFlag, stats: GenerationStats | None = None
    ) -> Generator[list[float]]:
        """Send what ``message`` makes with a number, and yield the values of each token.

        If the engine ends meanwhile, ``message`` is called again, for another engine.

        Raises:
            Cancelled: ``cancel`` was set.
            ModelLost: there is no engine any more for this bundle.
            ModelError: the model failed.
        """
        lost: Connection | None = None
        for _ in range(_ENGINES_FOR_A_REQUEST):
            cancel.check()
            connection, outbox = self._line or self._call(lost)
            try:
                asked = message(next(self._numbers))
                yield from self._ask(connection, outbox, asked, cancel, stats or GenerationStats())
            except ConnectionLost as loss:
                lost = connection if isinstance(loss, Silence) else None
                self._hang_up()
            else:
                return
        raise EngineUnavailable("its process ended twice during one request")

    def _ask(
        self, connection: Connection, outbox: Outbox[Message], message: Work, cancel: CancelFlag, stats: GenerationStats
    ) -> Generator[list[float]]:
        outbox.put(message)
        has_ended = False
        try:
            with _reporting(cancel, lambda urgent: outbox.put(Cancel(number=message.number, urgent=urgent))):
                while not has_ended:
                    answer = receive(connection, lambda: outbox.put(Ping()))
                    if isinstance(answer, Pong):
                        continue
                    if not isinstance(answer, (Token, Ended)):
                        raise ConnectionLost
                    self._learn(answer.figures)
                    if answer.number != message.number:  # of an earlier request, which was left before its end
                        continue
                    stats.reused_tokens = answer.figures.reused_tokens
                    stats.prefill_seconds = answer.figures.prefill_seconds
                    stats.steps = answer.figures.steps
                    if isinstance(answer, Token):
                        yield answer.values
                    else:
                        has_ended = True
                        _check(answer, cancel)
        finally:
            if not has_ended:
                outbox.put(Cancel(number=message.number, urgent=True))

    def _call(self, lost: Connection | None) -> tuple[Connection, Outbox[Message]]:
        connection = self._connect(lost)
        outbox: Outbox[Message] = Outbox(connection.send)
        outbox.put(self._opening)
        self._line = connection, outbox
        weakref.finalize(self, outbox.close)
        return self._line

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line[1].close()
            self._line = None

    def _learn(self, figures: Figures) -> None:
        for reading in figures.readings:
            self._meter.learn(*reading)


def _check(ended: Ended, cancel: CancelFlag) -> None:
    """Raise what the end of a request says, unless it has ended well."""
    if ended.failure:
        raise ModelError(ended.failure)
    if ended.cancelled:
        cancel.check()
        raise Cancelled("cancelled")


def _reporting(cancel: CancelFlag, stop: Callable[[bool], None]) -> AbstractContextManager[object]:
    """Call ``stop`` when ``cancel`` is set during the block, with whether it is urgent.

    Raises:
        Cancelled: the flag was already set; the block is not entered.
    """
    with ExitStack() as stack:
        stack.enter_context(cancel.interrupting(lambda: stop(cancel.urgent is cancel)))
        if cancel.urgent is not cancel:
            stack.enter_context(cancel.urgent.interrupting(lambda: stop(True)))
        return stack.pop_all()
