"""The model, for all clients in turn. A request waits for those before it. If its client leaves, it stops in a step.

The model is loaded by the first request, unloaded when nobody asks for long, and shared with the user's editors where
the settings and the system allow.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import TypeVar
from weakref import WeakKeyDictionary

from midfill.api.errors import RequestError
from midfill.common.cancel import CancelFlag
from midfill.common.errors import ModelChanged
from midfill.common.reasons import Reason
from midfill.completion.engine import open_engine
from midfill.completion.lifecycle import Engine, EngineLifecycle, Load
from midfill.inference.sampling import Choice
from midfill.inference.token_generator import (
    GenerationRequest,
    GenerationStats,
    LanguageModel,
    ScoredToken,
    TokenGenerator,
)
from midfill.settings.live import LiveSettings

T = TypeVar("T")

MAX_REQUESTS = 32
"""Maximum number of requests at once, the running one included."""
_USUAL_CONTEXT = 4096
"""Tokens of the first generator's context. A longer request replaces it by a larger one."""


class ModelWorker:
    """Runs requests on one thread, the oldest first; for use on one event loop."""

    def __init__(self, settings: LiveSettings, load: Load = open_engine) -> None:
        """Load with ``load`` when the first request comes."""
        self._settings = settings
        self._lifecycle = EngineLifecycle(settings, load)
        self._requests = 0
        # By the engine, so that an engine that is unloaded takes its generator with it.
        self._generators: WeakKeyDictionary[Engine, tuple[int, TokenGenerator]] = WeakKeyDictionary()

    async def model(self) -> LanguageModel:
        """Return the model, once it is loaded.

        Raises:
            MidfillError: it cannot be loaded.
        """
        if self._lifecycle.state == "idle":
            self._lifecycle.start()
        return (await self._lifecycle.acquire()).model

    def check_room(self) -> None:
        """Check that another request may wait.

        Raises:
            RequestError: too many requests wait.
        """
        if self._requests >= MAX_REQUESTS:
            raise RequestError(503, f"{MAX_REQUESTS} requests are waiting already: try again later.")

    async def tokens(self, request: GenerationRequest) -> AsyncGenerator[tuple[Choice, GenerationStats], None]:
        """Yield the tokens of a request, when its turn comes. Close the iterator to stop within a step.

        Raises:
            MidfillError: the model cannot be loaded, or fails.
            RequestError: too many requests wait.
        """
        found: asyncio.Queue[tuple[Choice, GenerationStats] | None] = asyncio.Queue()
        tell = _teller(found)

        def generate(engine: Engine) -> None:
            with closing(self._generator(engine, needed).generate(request, flag)) as choices:
                for choice in choices:
                    tell((choice, choices.stats))

        needed = len(request.prompt) + request.max_tokens
        flag = CancelFlag()
        with self._counted():
            await self.model()
            running = self._submit(generate, flag, at_end=lambda: tell(None))
            try:
                while (token := await found.get()) is not None:
                    yield token
                await running
            finally:
                flag.set(Reason.CANCELLED)

    async def score(self, ids: Sequence[int]) -> list[ScoredToken]:
        """Return how likely each of the tokens ``ids`` but the first is after those before it.

        Raises:
            MidfillError: the model cannot be loaded, or fails.
            RequestError: too many requests wait.
        """
        return await self.run(
            lambda engine, flag: list(self._generator(engine, len(ids)).score(ids[:1], ids[1:], flag))
        )

    async def run(self, work: Callable[[Engine, CancelFlag], T]) -> T:
        """Return what ``work`` does with the engine, when its turn comes. It stops within a step if this is cancelled.

        Raises:
            MidfillError: the model cannot be loaded, or fails.
            RequestError: too many requests wait.
        """
        flag = CancelFlag()
        with self._counted():
            await self.model()
            try:
                return await self._submit(lambda engine: work(engine, flag), flag)
            finally:
                flag.set(Reason.CANCELLED)

    def close(self) -> None:
        """End the worker, after what it was given."""
        self._lifecycle.close()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self.check_room()
        self._requests += 1
        try:
            yield
        finally:
            self._requests -= 1

    def _submit(
        self, work: Callable[[Engine], T], flag: CancelFlag, at_end: Callable[[], None] = lambda: None
    ) -> asyncio.Future[T]:
        """Have the worker do ``work``, unless ``flag`` is set before its turn, and then call ``at_end``."""

        def turn(engine: Engine | None) -> T:
            try:
                flag.check()
                if engine is None:  # unloaded since this request asked for it
                    raise RequestError(503, "The model was unloaded just now: try again.")
                return work(engine)
            except ModelChanged:
                self._lifecycle.discard()
                raise
            finally:
                at_end()

        running = asyncio.wrap_future(self._lifecycle.run(turn))
        running.add_done_callback(_note_failure)
        return running

    def _generator(self, engine: Engine, needed: int) -> TokenGenerator:
        """On the worker: return the engine's generator for token ids, with room for ``needed`` tokens."""
        context, generator = self._generators.get(engine, (0, None))
        if generator is None or context < needed:
            now, usable = self._settings.now, engine.model.manifest.usable_context
            context = min(max(_USUAL_CONTEXT, 1 << (needed - 1).bit_length()), usable)
            generator = engine.model.new_generator(
                context=context, cache_bytes=now.cache_megabytes * 1_000_000, max_draft_tokens=now.draft_tokens
            )
            self._generators[engine] = context, generator
        return generator


def _note_failure(done: asyncio.Future[T]) -> None:
    """Take note of a failure. Nobody else does if the client has left, and asyncio would report that."""
    if not done.cancelled():
        done.exception()


def _teller(queue: asyncio.Queue[T]) -> Callable[[T], None]:
    """Return a function that puts something into ``queue`` from another thread."""
    loop = asyncio.get_running_loop()

    def tell(item: T) -> None:
        with suppress(RuntimeError):  # the loop was closed
            loop.call_soon_threadsafe(queue.put_nowait, item)

    return tell
