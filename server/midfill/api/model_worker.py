"""The model, for all clients in turn. A request waits for those before it. If its client leaves, it stops in a step.

A chunk of a prompt is such a step, and is finished: an editor leaves at each keystroke, and asks again for nearly the
same prompt. What is computed of it stays in its KV cache, and the next request goes on from there.

A long text would keep everybody waiting. So it is generated on a thread of its own, and each step of it lets all
requests for short texts go first.

The model is loaded at once, unloaded when nobody asks for long, and loaded again by the next request. It is shared with
the user's editors where the settings and the system allow.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from itertools import count
from typing import TypeVar
from weakref import WeakKeyDictionary, ref

from midfill.api.errors import RequestError
from midfill.api.metrics import Metrics
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
Generators = WeakKeyDictionary[Engine, tuple[int, TokenGenerator]]
"""Generators by the engine whose model they use, each with the length of its context in tokens."""

MAX_REQUESTS = 32
"""Maximum number of requests at once, the running one included."""
LONG_TOKENS = 256
"""A request for more tokens is long work: others go first at each of its steps."""
_USUAL_CONTEXT = 4096
"""Tokens of the first generator's context. A longer request replaces it by a larger one."""


class ModelWorker:
    """Runs requests on one thread, the oldest first, and long ones in the time between; for use on one event loop."""

    def __init__(self, settings: LiveSettings, load: Load = open_engine, metrics: Metrics | None = None) -> None:
        """Load with ``load``: see :meth:`begin`. Requests are counted in ``metrics``."""
        self._settings = settings
        self._metrics = metrics or Metrics()
        self._lifecycle = EngineLifecycle(settings, load)
        self._loaded: Callable[[], Engine | None] = lambda: None
        """Returns the engine that was loaded last, if it is still there."""
        self._requests = 0
        self._numbers = count(1)
        self._running: set[CancelFlag] = set()
        """The flags of the requests that are being computed, also of clients that have left."""
        # By the engine, so that an engine that is unloaded takes its generator with it.
        self._generators: Generators = WeakKeyDictionary()
        self._long_generators: Generators = WeakKeyDictionary()
        self._long_work = ThreadPoolExecutor(max_workers=1, thread_name_prefix="midfill-long")

    def begin(self) -> None:
        """Begin to load the model, so that the first request need not wait for all of it."""
        self._lifecycle.start()

    async def model(self) -> LanguageModel:
        """Return the model, once it is loaded.

        Raises:
            MidfillError: it cannot be loaded.
        """
        if self._lifecycle.state == "ready" and (loaded := self._loaded()) is not None:
            self._lifecycle.keep_alive()  # to ask the worker would be to wait for what it does now
            return loaded.model
        if self._lifecycle.state == "idle":
            self._lifecycle.start()
        engine = await self._lifecycle.acquire()
        self._loaded = ref(engine)
        return engine.model

    def check_room(self) -> None:
        """Check that another request may wait.

        Raises:
            RequestError: too many requests wait.
        """
        if self._requests >= MAX_REQUESTS:
            self._metrics.requests_refused += 1
            raise RequestError(503, f"{MAX_REQUESTS} requests are waiting already: try again later.")

    def metrics_text(self) -> str:
        """Return what was counted, in Prometheus' text format."""
        running = len(self._running)
        gauges = {
            "requests_running": (running, "Requests that are being computed, also of clients that have just left."),
            "requests_waiting": (max(self._requests - running, 0), "Requests that wait for their turn."),
        }
        return self._metrics.to_text(gauges)

    async def tokens(self, request: GenerationRequest) -> AsyncGenerator[tuple[Choice, GenerationStats], None]:
        """Yield the tokens of a request, when its turn comes. Close the iterator to stop within a step.

        Raises:
            MidfillError: the model cannot be loaded, or fails.
            RequestError: too many requests wait.
        """
        found: asyncio.Queue[tuple[Choice, GenerationStats] | None] = asyncio.Queue()
        tell = _teller(found)

        def generate(engine: Engine) -> None:
            generator = self._generator(engine, needed, is_long=is_long)
            with closing(generator.generate(request, flag)) as choices:
                for choice in choices:
                    tell((choice, choices.stats))

        # Nobody knows which document a prompt is of. Its tokens alone say which KV cache is of use.
        request = replace(request, document=f"request {next(self._numbers)}")
        needed = len(request.prompt) + request.max_tokens
        is_long = request.max_tokens > LONG_TOKENS
        with self._counted() as flag:
            await self.model()
            submit = self._submit_long if is_long else self._submit
            running = submit(generate, flag)
            running.add_done_callback(lambda _: found.put_nowait(None))  # after its last token
            while (token := await found.get()) is not None:
                yield token
            await running

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
        with self._counted() as flag:
            await self.model()
            return await self._submit(lambda engine: work(engine, flag), flag)

    def close(self) -> None:
        """End the threads. What they compute is interrupted."""
        for flag in self._running.copy():
            flag.set(Reason.CANCELLED)
        self._long_work.shutdown(wait=True)
        self._lifecycle.close()

    @contextmanager
    def _counted(self) -> Iterator[CancelFlag]:
        """Count a request during the block, and give the flag that is set at its end."""
        self.check_room()
        self._requests += 1
        self._metrics.requests += 1
        flag = CancelFlag(urgent=CancelFlag())
        try:
            yield flag
        except asyncio.CancelledError:
            self._metrics.requests_cancelled += 1
            raise
        except Exception:
            self._metrics.requests_failed += 1
            raise
        finally:
            flag.set(Reason.CANCELLED, urgent=False)
            self._requests -= 1

    def _submit(self, work: Callable[[Engine], T], flag: CancelFlag) -> asyncio.Future[T]:
        """Have the worker do ``work``, unless ``flag`` is set before its turn."""
        running = self._lifecycle.run(lambda engine: self._turn(engine, work, flag))
        self._lifecycle.steps.preempt()
        return _noting_failures(running)

    def _submit_long(self, work: Callable[[Engine], T], flag: CancelFlag) -> asyncio.Future[T]:
        """Have the thread for long work do ``work``, whose steps run on the worker when nothing else is to be done."""

        def turn() -> T:
            engine = self._lifecycle.run(lambda engine: engine).result()
            with self._lifecycle.steps.working():
                return self._turn(engine, work, flag)

        return _noting_failures(self._long_work.submit(turn))

    def _turn(self, engine: Engine | None, work: Callable[[Engine], T], flag: CancelFlag) -> T:
        self._running.add(flag)
        try:
            flag.check()
            if engine is None:  # unloaded since this request asked for it
                raise RequestError(503, "The model was unloaded just now: try again.")
            return work(engine)
        except ModelChanged:
            self._lifecycle.discard()
            raise
        finally:
            self._running.discard(flag)

    def _generator(self, engine: Engine, needed: int, *, is_long: bool = False) -> TokenGenerator:
        """On the thread that uses it: return a generator for token ids, with room for ``needed`` tokens."""
        generators = self._long_generators if is_long else self._generators
        context, generator = generators.get(engine, (0, None))
        if generator is None or context < needed:
            now, usable = self._settings.now, engine.model.manifest.usable_context
            context = min(max(_USUAL_CONTEXT, 1 << (needed - 1).bit_length()), usable)
            generator = engine.model.new_generator(
                context=context,
                cache_bytes=now.cache_megabytes * 1_000_000,
                max_draft_tokens=now.draft_tokens,
                steps=self._lifecycle.steps if is_long else None,
            )
            generators[engine] = context, generator
        return generator


def _noting_failures(running: Future[T]) -> asyncio.Future[T]:
    """Return the future for this loop. A failure is noted, also when the client has left and nobody awaits it."""

    def note(done: asyncio.Future[T]) -> None:
        if not done.cancelled():
            done.exception()

    found = asyncio.wrap_future(running)
    found.add_done_callback(note)
    return found


def _teller(queue: asyncio.Queue[T]) -> Callable[[T], None]:
    """Return a function that puts something into ``queue`` from another thread."""
    loop = asyncio.get_running_loop()

    def tell(item: T) -> None:
        with suppress(RuntimeError):  # the loop was closed
            loop.call_soon_threadsafe(queue.put_nowait, item)

    return tell
