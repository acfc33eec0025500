"""What the worker does next: the newest request first, and what is likely to be asked next while nobody asks.

Every request gets an answer. An older request that still runs is superseded by a newer one. In idle time the worker
computes the prompt that is expected next (warm-up), or the text that follows the suggestion shown (prefetch).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

from midfill.common.cancel import CancelFlag, Cancelled
from midfill.common.clock import Clock, LoopClock
from midfill.common.errors import ModelChanged
from midfill.common.idle_timer import IdleTimer
from midfill.common.logs import PublicText, describe
from midfill.common.reasons import Reason
from midfill.completion.cache import CompletionCache
from midfill.completion.debounce import AdaptiveDebounce
from midfill.completion.engine import WorkspaceRetrieval, open_engine
from midfill.completion.lifecycle import Engine, EngineLifecycle, Load, State
from midfill.completion.prefetch import after_accepting
from midfill.completion.types import Completion, Request, no_suggestion
from midfill.inference.preemption import StepQueue
from midfill.inference.token_generator import OnLoading
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings, needs_reload

T = TypeVar("T")

_PREFETCH_AFTER = 0.15
"""Seconds without a key after which the user is taken to be looking at the suggestion."""
_log = logging.getLogger(__name__)


class _Work:
    """Something the worker does for a document, and the flag that stops it."""

    def __init__(self, path: str) -> None:
        self.flag = CancelFlag(urgent=CancelFlag())
        self._path = path

    def preempt_for(self, path: str) -> None:
        """Stop for a request in the document ``path``.

        A chunk of a prompt is finished first if it is of the same document, because the request needs it too.
        """
        self.flag.set(Reason.SUPERSEDED, urgent=path != self._path)


class Scheduler:
    """Schedules the requests of one client; for use on one event loop.

    A request waits while the engine is being loaded. One that is superseded or cancelled meanwhile never reaches it.
    """

    def __init__(self, lifecycle: EngineLifecycle, settings: LiveSettings, clock: Clock | None = None) -> None:
        self._lifecycle = lifecycle
        self._settings = settings
        self._clock = clock or LoopClock()
        self._cache = CompletionCache()
        self._debounce = AdaptiveDebounce()
        self._newest = _Work("")
        self._ahead = _Work("")
        """The warm-up or prefetch that is under way."""
        self._expected: Request | None = None
        self._after_shown: Request | None = None
        self._warm_up_timer = IdleTimer(0.0, self._begin_warm_up, clock)
        self._prefetch_timer = IdleTimer(0.0, self._begin_prefetch, clock)
        self._prefetching: asyncio.Task[None] | None = None
        self._set_timers(settings.now)
        settings.on_change(self._settings_changed)

    @property
    def state(self) -> State:
        """The state of the engine: see :class:`midfill.completion.lifecycle.EngineLifecycle`."""
        return self._lifecycle.state

    def start(self, on_loading: OnLoading = lambda *_: None) -> Future[None]:
        """Begin to load the engine: see :meth:`midfill.completion.lifecycle.EngineLifecycle.start`."""
        return self._lifecycle.start(on_loading)

    async def complete(self, request: Request) -> Completion:
        """Return a suggestion or the reason for none. An older request that still runs is superseded.

        Raises:
            asyncio.CancelledError: the caller was cancelled; the work stops within a step.
        """
        if not self._lifecycle.is_running:
            return no_suggestion(request, Reason(self._lifecycle.state))
        self._lifecycle.keep_alive()
        if request.automatic:
            self._debounce.key(self._clock.now())
        self._newest.preempt_for(request.path)
        work = self._newest = _Work(request.path)
        self._prefetch_timer.stop()
        version = self._cache.version
        if (known := self._cache.find(request)) is not None:
            self._expect_after(request, known)
            return known
        self._warm_up_timer.stop()
        self._ahead.preempt_for(request.path)
        try:
            if request.automatic and (seconds := self._debounce.wait(self._settings.now.debounce_ms / 1000)):
                await self._clock.sleep(seconds)
                if not self._lifecycle.is_running:  # the server was closed, or the model changed
                    return no_suggestion(request, Reason(self._lifecycle.state))
            running = self._lifecycle.run(lambda engine: self._complete(engine, request, work.flag))
            self._lifecycle.steps.preempt()
            completion = await asyncio.wrap_future(running)
        except asyncio.CancelledError:
            work.flag.set(Reason.CANCELLED, urgent=False)  # mostly because of the next keystroke
            raise
        self._cache.add(request, completion, version)
        self._expect_after(request, completion)
        return completion

    def prepare(self, request: Request) -> None:
        """Expect ``request``: its prompt is computed ahead, unless anything is asked for soon."""
        if self._lifecycle.is_running:
            self._expected = request
            self._warm_up_timer.restart()
            self._lifecycle.keep_alive()

    async def acquire(self, *, before_work_ahead: bool = True) -> Engine:
        """Return the engine, once it is loaded, for work whose steps run in ``steps``.

        Args:
            before_work_ahead: interrupts work ahead. Otherwise the engine is there when that is done.

        Raises:
            MidfillError: there is no engine.
        """
        if before_work_ahead:
            self._ahead.flag.set(Reason.SUPERSEDED)
        return await self._lifecycle.acquire()

    @property
    def steps(self) -> StepQueue:
        """The queue for long work: each step of it runs between suggestions."""
        return self._lifecycle.steps

    def discard(self, error: ModelChanged) -> None:
        """Load the engine again at the next edit or request, because its model has changed; any thread."""
        _log.warning("%s", PublicText(str(error)))
        self._lifecycle.discard()

    def forget(self, path: str) -> None:
        """Drop everything about a document, because it was closed."""
        self._cache.forget(path)
        if self._expected is not None and self._expected.path == path:
            self._warm_up_timer.stop()
            self._ahead.flag.set(Reason.CLOSED)
            self._expected = None
        if self._after_shown is not None and self._after_shown.path == path:
            self._prefetch_timer.stop()
            self._ahead.flag.set(Reason.CLOSED)
            self._after_shown = None
        if self._lifecycle.is_running:
            self._lifecycle.run(lambda engine: engine.forget(path) if engine is not None else None)

    def work_in(self, workspace: WorkspaceRetrieval | None) -> None:
        """Ask ``workspace`` about other files from now on. Suggestions made without it are forgotten."""
        self._cache.clear()
        self._lifecycle.work_in(workspace)

    def spell(self, ids: Sequence[int]) -> str:
        """Return the text of tokens; a note in its place while no engine is loaded."""
        return self._lifecycle.spell(ids)

    def close(self) -> None:
        """Interrupt what runs, answer what waits, and end the worker. A load is waited for."""
        self._stop()
        self._lifecycle.close()

    def _stop(self) -> None:
        """Interrupt what runs and answer what waits, because the server ends or the model changes."""
        self._warm_up_timer.stop()
        self._prefetch_timer.stop()
        self._ahead.flag.set(Reason.CANCELLED)
        self._newest.flag.set(Reason.CANCELLED)  # the older ones are superseded, so each one ends as it begins

    def _set_timers(self, settings: Settings) -> None:
        self._warm_up_timer.seconds = settings.warm_up_ms / 1000
        self._prefetch_timer.seconds = _PREFETCH_AFTER if settings.prefetch else 0.0

    def _settings_changed(self, before: Settings, now: Settings) -> None:
        self._set_timers(now)
        self._cache.clear()
        if needs_reload(before, now):
            self._stop()
            self._expected = self._after_shown = None

    def _begin_warm_up(self) -> None:
        """On the event loop: have the worker compute the expected prompt, when it has nothing else to do."""
        request = self._expected
        if request is not None and self._lifecycle.is_running and not self._lifecycle.steps.in_use:
            self._work_ahead(request, self._warm_up)

    def _expect_after(self, request: Request, completion: Completion) -> None:
        """Expect that the user accepts the suggestion, unless anything else is asked for soon."""
        if completion.text:
            self._after_shown = after_accepting(request, completion)
            self._prefetch_timer.restart()

    def _begin_prefetch(self) -> None:
        """On the event loop: have the worker generate what follows the suggestion shown."""
        request = self._after_shown
        if request is None or self._lifecycle.state != "ready" or self._lifecycle.steps.in_use:
            return
        if self._cache.find(request) is None:
            self._prefetching = asyncio.create_task(self._prefetch(request))

    async def _prefetch(self, request: Request) -> None:
        version = self._cache.version
        completion = await asyncio.wrap_future(self._work_ahead(request, self._complete))
        self._cache.add(request, completion, version)

    def _work_ahead(self, request: Request, work: Callable[[Engine | None, Request, CancelFlag], T]) -> Future[T]:
        self._ahead.preempt_for(request.path)
        flag = (ahead := _Work(request.path)).flag
        self._ahead = ahead
        return self._lifecycle.run(lambda engine: work(engine, request, flag))

    # The methods below run on the worker.

    def _complete(self, engine: Engine | None, request: Request, flag: CancelFlag) -> Completion:
        try:
            flag.check()
            if engine is None:
                return no_suggestion(request, Reason.FAILED)
            return engine.complete(request, flag, self._cache)
        except Cancelled as stop:
            return no_suggestion(request, Reason(stop.reason))
        except ModelChanged as error:
            self.discard(error)
            return no_suggestion(request, Reason.FAILED)
        except BaseException as error:  # whatever happens, the request is answered, and the next one is served
            _log.error("completion failed: %s", describe(error))
            return no_suggestion(request, Reason.FAILED)

    def _warm_up(self, engine: Engine | None, request: Request, flag: CancelFlag) -> None:
        try:
            flag.check()
            if engine is not None:
                engine.warm_up(request, flag)
        except Cancelled:
            pass
        except ModelChanged as error:
            self.discard(error)
        except BaseException as error:  # nobody waits for the result, so this line is the only trace
            _log.error("warming up failed: %s", describe(error))


def new_scheduler(settings: LiveSettings, load: Load = open_engine) -> Scheduler:
    """Return a scheduler with an engine of its own, which ``load`` loads when it is started."""
    return Scheduler(EngineLifecycle(settings, load), settings)
