"""One worker, newest request wins: keeps an engine loading, ready and busy with what was asked last.

While nobody asks, the worker reads ahead (:meth:`Completer.prepare`) or writes what comes after the suggestion shown,
and after long enough it lets the engine go. All that touches the engine runs on the worker, one thing after another;
timers and states belong to the event loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Literal, Protocol, TypeVar

from midfill.common import memory
from midfill.common.cancel import CancelFlag, Cancelled
from midfill.common.errors import MidfillError, ModelError
from midfill.common.idle_timer import IdleTimer
from midfill.common.logs import describe
from midfill.completion.cache import CompletionCache
from midfill.completion.debounce import AdaptiveDebounce
from midfill.completion.engine import OnLoading, WorkspaceRetrieval, load_engine
from midfill.completion.prefetch import after_accepting
from midfill.completion.types import Completion, Request, nothing
from midfill.inference.preemption import StepQueue
from midfill.settings.schema import Settings

T = TypeVar("T")

_PREFETCH_AFTER = 0.15
"""Seconds after which a suggestion that nobody typed on is taken for looked at."""
_log = logging.getLogger(__name__)


class CanComplete(Protocol):
    """What a completer drives; :class:`midfill.completion.engine.Engine` in earnest."""

    workspace: WorkspaceRetrieval | None
    settings: Settings

    def spell(self, ids: Sequence[int]) -> str:
        """Return the text of tokens."""

    def complete(self, request: Request, cancel: CancelFlag) -> Completion:
        """Suggest, until ``cancel`` is set; raises as :meth:`midfill.completion.engine.Engine.complete`."""

    def warm_up(self, request: Request, cancel: CancelFlag) -> None:
        """Compute ahead, until ``cancel`` is set; raises as :meth:`midfill.completion.engine.Engine.warm_up`."""

    def forget(self, path: str) -> None:
        """Look no more guesses up in a document."""


Load = Callable[[OnLoading], CanComplete]


def make_completer(settings: Settings) -> Completer:
    """Return a completer that will load the engine that ``settings`` describe, and that goes by them."""
    completer = Completer(lambda progress: load_engine(settings, progress))
    completer.configure(settings)
    return completer


class _Work:
    """Something the worker has to do for a document, and the flag that stops it."""

    def __init__(self, path: str) -> None:
        self.flag = CancelFlag(urgent=CancelFlag())
        self._path = path

    def preempt_for(self, path: str) -> None:
        """Stop for the sake of another request; what it reads of the same document that one needs too."""
        self.flag.set("superseded", urgent=path != self._path)


class Completer:
    """Loads an engine in the background, then completes with it; every request gets an answer.

    One rule for the first start and for coming back: a request waits for an engine that is being loaded, and never
    reaches it if it was superseded or cancelled meanwhile.
    """

    def __init__(
        self,
        load: Load,
        settings: Settings | None = None,
        *,
        warm_up_after: float = 0.0,
        prefetch_after: float = 0.0,
        unload_after: float = 0.0,
    ) -> None:
        """Load with ``load``; read or write ahead, and let the engine go, after so many idle seconds (0 for never)."""
        self._load = load
        self._settings = settings or Settings()
        self._workspace: WorkspaceRetrieval | None = None
        # pygls reads its input in a thread pool of its own: borrowing that one could stop the server from listening.
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="midfill")
        self.turns = StepQueue(self._worker)
        """For work that takes long: its steps come between suggestions."""
        self._engine: CanComplete | None = None
        self._newest = _Work("")
        self._warm_up = _Work("")
        self._expected: Request | None = None
        self._after_shown: Request | None = None
        self._memo = CompletionCache()
        self._rhythm = AdaptiveDebounce()
        self._warm_up_timer = IdleTimer(warm_up_after, self._begin_warm_up)
        self._prefetch_timer = IdleTimer(prefetch_after, self._begin_prefetch)
        self._prefetching: asyncio.Task[None] | None = None
        self._unload_timer = IdleTimer(unload_after, self._unload)
        self.state: Literal["idle", "loading", "ready", "failed", "closed"] = "idle"
        """Idle is without an engine, before the first start and after it was let go."""
        self.error: BaseException | None = None

    def start(self, progress: OnLoading = lambda *_: None) -> Future[None]:
        """Begin to load; the future ends with it, or raises what ``error`` then holds, a MidfillError at best."""
        self.state = "loading"
        self._unload_timer.restart()
        return self._worker.submit(self._load_engine, progress)

    def configure(self, settings: Settings) -> None:
        """Go by other settings, for all that does not need another engine."""
        self._settings = settings
        self._warm_up_timer.seconds = settings.warm_up_ms / 1000
        self._prefetch_timer.seconds = _PREFETCH_AFTER if settings.prefetch else 0.0
        self._unload_timer.seconds = settings.unload_minutes * 60
        self._memo = CompletionCache()
        self._worker.submit(self._equip)

    def work_in(self, workspace: WorkspaceRetrieval | None) -> None:
        """Ask ``workspace`` about other files from now on; what was suggested without it counts no more."""
        self._workspace = workspace
        self._memo = CompletionCache()
        self._worker.submit(self._equip)

    async def complete(self, request: Request) -> Completion:
        """Suggest, or say why not; an older request that still runs is answered "superseded".

        Raises:
            asyncio.CancelledError: the caller was cancelled; the work stops within a step.
        """
        if self.state not in ("loading", "ready"):
            return nothing(request, self.state)
        self._unload_timer.restart()
        if request.automatic:
            self._rhythm.key(asyncio.get_running_loop().time())
        self._newest.preempt_for(request.path)
        work = self._newest = _Work(request.path)
        self._prefetch_timer.stop()
        memo = self._memo  # another one when the settings change meanwhile
        if (known := memo.find(request)) is not None:
            self._expect_after(request, known)
            return known
        self._warm_up_timer.stop()
        self._warm_up.preempt_for(request.path)
        try:
            if request.automatic and (seconds := self._rhythm.wait(self._settings.debounce_ms / 1000)):
                await asyncio.sleep(seconds)
            suggesting = self._worker.submit(self._complete, request, work.flag)
            self.turns.preempt()
            completion = await asyncio.wrap_future(suggesting)
        except asyncio.CancelledError:
            work.flag.set("cancelled", urgent=False)  # by the next keystroke, mostly
            raise
        memo.add(request, completion)
        self._expect_after(request, completion)
        return completion

    async def acquire(self) -> CanComplete:
        """Return the engine, once it is loaded, to somebody who takes turns with it.

        Raises:
            MidfillError: there is none.
        """
        self._unload_timer.restart()
        self._warm_up.flag.set("superseded")
        engine = await asyncio.wrap_future(self._worker.submit(lambda: self._engine))
        if engine is None:
            raise self.error if isinstance(self.error, MidfillError) else ModelError("The model is not loaded.")
        return engine

    def prepare(self, request: Request) -> None:
        """Expect ``request``: unless anything is asked for soon, its prompt is computed ahead."""
        if self.state in ("loading", "ready"):
            self._expected = request
            self._warm_up_timer.restart()
            self._unload_timer.restart()

    def forget(self, path: str) -> None:
        """Drop what was read of a document, which is closed, and what was suggested in it."""
        self._memo.forget(path)
        if self._expected is not None and self._expected.path == path:
            self._warm_up_timer.stop()
            self._warm_up.flag.set("closed")
            self._expected = None
        if self._after_shown is not None and self._after_shown.path == path:
            self._prefetch_timer.stop()
            self._warm_up.flag.set("closed")
            self._after_shown = None
        if self.state in ("loading", "ready"):
            self._worker.submit(self._forget, path)

    def spell(self, ids: Sequence[int]) -> str:
        """Return the text of tokens; a note in its place while there is no engine."""
        engine = self._engine
        return engine.spell(ids) if engine is not None else "(the model is not loaded)"

    def close(self) -> None:
        """Stop what runs, answer what waits, and end the worker; loading cannot be stopped and is waited for."""
        self._warm_up_timer.stop()
        self._prefetch_timer.stop()
        self._unload_timer.stop()
        self._warm_up.flag.set("cancelled")
        self._newest.flag.set("cancelled")  # the older ones are superseded: all that waits ends as soon as it begins
        self._worker.shutdown(wait=True)
        self._engine = None
        self.state = "closed"

    def _begin_warm_up(self) -> None:
        """On the event loop: have the worker read ahead, once it has nothing else to do."""
        if self._expected is not None and not self.turns.in_use:
            self._work_ahead(self._do_warm_up, self._expected)

    def _expect_after(self, request: Request, completion: Completion) -> None:
        """Expect that the suggestion shown is accepted, unless anything else is asked for soon."""
        if completion.text:
            self._after_shown = after_accepting(request, completion)
            self._prefetch_timer.restart()

    def _begin_prefetch(self) -> None:
        """On the event loop: have the worker write what comes after the suggestion shown."""
        request = self._after_shown
        if request is None or self.state != "ready" or self.turns.in_use:
            return
        if self._memo.find(request) is None:
            self._prefetching = asyncio.create_task(self._prefetch(request))

    async def _prefetch(self, request: Request) -> None:
        self._memo.add(request, await asyncio.wrap_future(self._work_ahead(self._complete, request)))

    def _work_ahead(self, work: Callable[[Request, CancelFlag], T], request: Request) -> Future[T]:
        self._warm_up.preempt_for(request.path)
        self._warm_up = _Work(request.path)
        return self._worker.submit(work, request, self._warm_up.flag)

    def _unload(self) -> None:
        """On the event loop: have the worker let the engine go."""
        if self.state == "ready":
            self.state = "idle"
            self._warm_up_timer.stop()
            self._worker.submit(self._drop_engine)
        elif self.state == "loading":  # which takes longer than anybody wants to wait
            self._unload_timer.restart()

    # All below runs on the worker.

    def _load_engine(self, progress: OnLoading) -> None:
        try:
            self._engine = self._load(progress)
        except BaseException as error:  # a panic within the tokenizer is no Exception
            self.error = error
            self.state = "failed"
            raise
        self._equip()
        self.state = "ready"

    def _equip(self) -> None:
        if self._engine is not None:
            self._engine.workspace, self._engine.settings = self._workspace, self._settings

    def _drop_engine(self) -> None:
        self._engine = None
        memory.give_back()
        _log.info("The model is unloaded: nothing was asked for in %d min", self._settings.unload_minutes)

    def _complete(self, request: Request, flag: CancelFlag) -> Completion:
        try:
            flag.check()
            if self._engine is None:
                return nothing(request, "failed")
            return self._engine.complete(request, flag)
        except Cancelled as stop:
            return nothing(request, stop.reason)
        except BaseException as error:  # whatever happens, the request is answered, and the next one is served
            _log.error("completion failed: %s", describe(error))
            return nothing(request, "failed")

    def _do_warm_up(self, request: Request, flag: CancelFlag) -> None:
        try:
            flag.check()
            if self._engine is not None:
                self._engine.warm_up(request, flag)
        except Cancelled:
            pass
        except BaseException as error:  # nobody waits for it, so nobody else would tell
            _log.error("warming up failed: %s", describe(error))

    def _forget(self, path: str) -> None:
        if self._engine is not None:
            self._engine.forget(path)
