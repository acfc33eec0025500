"""The engine's life: loaded in the background, unloaded when nobody needs it, loaded again for other settings.

All work with the engine runs on one worker thread, one piece after the other. States and timers belong to the event
loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Literal, Protocol, TypeVar

from midfill.common import memory
from midfill.common.cancel import CancelFlag
from midfill.common.clock import Clock
from midfill.common.errors import MidfillError, ModelError, PolicyRefused
from midfill.common.idle_timer import IdleTimer
from midfill.common.reasons import Reason
from midfill.completion.cache import CompletionCache
from midfill.completion.engine import WorkspaceRetrieval, open_engine
from midfill.completion.types import Completion, Request
from midfill.inference.bundle_versions import stamps_of_files
from midfill.inference.preemption import StepQueue
from midfill.inference.token_generator import LanguageModel, OnLoading
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings, needs_reload

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Engine(Protocol):
    """What the lifecycle loads and the scheduler drives: :class:`midfill.completion.engine.CompletionEngine`."""

    model: LanguageModel
    workspace: WorkspaceRetrieval | None

    def complete(self, request: Request, cancel: CancelFlag, cache: CompletionCache) -> Completion:
        """See :meth:`midfill.completion.engine.CompletionEngine.complete`."""

    def warm_up(self, request: Request, cancel: CancelFlag) -> None:
        """See :meth:`midfill.completion.engine.CompletionEngine.warm_up`."""

    def forget(self, path: str) -> None:
        """See :meth:`midfill.completion.engine.CompletionEngine.forget`."""

    def spell(self, ids: Sequence[int]) -> str:
        """Return the text of tokens."""


Load = Callable[[LiveSettings, OnLoading], Engine]
State = Literal["idle", "loading", "ready", "failed", "closed"]


class EngineLifecycle:
    """Loads one engine at a time and owns the thread that uses it."""

    def __init__(self, settings: LiveSettings, load: Load = open_engine, clock: Clock | None = None) -> None:
        """Load with ``load`` when asked to; unload after ``unloadMinutes`` without use."""
        self._settings = settings
        self._load = load
        # A thread of its own: pygls reads its input in its own thread pool, and borrowing that could make it deaf.
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="midfill")
        self.steps = StepQueue(self._worker)
        """The queue for long work: each step of it runs between suggestions."""
        self._engine: Engine | None = None
        self._workspace: WorkspaceRetrieval | None = None
        self._loads = 0  # the number of the latest load; what an older one brings is dropped
        self._unload_timer = IdleTimer(settings.now.unload_minutes * 60, self._unload, clock)
        self._state: State = "idle"
        self._failed_with: object = None
        """The stamps of the bundle's files when loading failed."""
        self.error: BaseException | None = None
        """Why loading failed."""
        settings.on_change(self._settings_changed)

    @property
    def state(self) -> State:
        """The state of the engine.

        ``idle`` means that no engine is loaded: before the first start, after unloading, and after loading has failed
        if the bundle's files have changed since. Then it may be loaded.
        """
        if self._state == "failed" and stamps_of_files(self._settings.now.bundle) != self._failed_with:
            return "idle"
        return self._state

    @property
    def reason(self) -> Reason:
        """Why a request gets nothing while no engine is there or on its way."""
        state = self.state
        return self.failure if state == "failed" else Reason(state)

    @property
    def failure(self) -> Reason:
        """Why a request gets nothing after loading has failed."""
        return Reason.POLICY if isinstance(self.error, PolicyRefused) else Reason.FAILED

    @property
    def is_running(self) -> bool:
        """Whether there is an engine, or one is being loaded."""
        return self.state in ("loading", "ready")

    def start(self, on_loading: OnLoading = lambda *_: None) -> Future[None]:
        """Begin to load. The future ends with the load; if that failed, it raises what ``error`` then holds."""
        self._state = "loading"
        self._unload_timer.restart()
        self._loads += 1
        return self._worker.submit(self._load_engine, self._loads, on_loading)

    def keep_alive(self) -> None:
        """Count the idle time from now."""
        if self.is_running:
            self._unload_timer.restart()

    def run(self, work: Callable[[Engine | None], T]) -> Future[T]:
        """Have the worker do ``work`` with the engine, after everything it was given before."""
        return self._worker.submit(lambda: work(self._engine))

    async def acquire(self) -> Engine:
        """Return the engine, once it is loaded, to work that runs its steps in ``steps``.

        Raises:
            MidfillError: there is none.
        """
        self.keep_alive()
        engine = await asyncio.wrap_future(self.run(lambda engine: engine))
        if engine is None:
            raise self.error if isinstance(self.error, MidfillError) else ModelError("The model is not loaded.")
        return engine

    def discard(self) -> None:
        """Drop an engine that can no longer be used; any thread. The next edit or request loads it again."""
        if self.state == "ready":
            self._worker.submit(self._drop_engine)
            self._state = "idle"  # only now, so that the next load comes after the drop

    def work_in(self, workspace: WorkspaceRetrieval | None) -> None:
        """Let the engine ask ``workspace`` about other files from now on."""
        self._workspace = workspace
        if self.state != "closed":
            self.run(self._move)

    def spell(self, ids: Sequence[int]) -> str:
        """Return the text of tokens; a note in its place while no engine is loaded."""
        engine = self._engine
        return engine.spell(ids) if engine is not None else "(the model is not loaded)"

    def close(self) -> None:
        """End the worker, after what it was given. A load cannot be interrupted, so this waits for its end."""
        self._unload_timer.stop()
        self._worker.shutdown(wait=True)
        self._engine = None
        self._state = "closed"

    def _settings_changed(self, before: Settings, now: Settings) -> None:
        self._unload_timer.seconds = now.unload_minutes * 60
        if needs_reload(before, now) and self.state != "closed":
            self._state = "idle"
            self._loads += 1
            self._worker.submit(self._drop_engine)

    def _unload(self) -> None:
        """On the event loop: have the worker unload the engine."""
        if self.state == "ready":
            self._state = "idle"
            self._worker.submit(self._drop_engine)
            minutes = self._settings.now.unload_minutes
            _log.info("The model is unloaded after %d minutes without a request", minutes)
        elif self.state == "loading":  # loading takes longer than the idle time
            self._unload_timer.restart()

    # The methods below run on the worker.

    def _load_engine(self, number: int, on_loading: OnLoading) -> None:
        stamps = stamps_of_files(self._settings.now.bundle)
        try:
            engine = self._load(self._settings, on_loading)
        except BaseException as error:  # a panic in the tokenizer's library is no Exception
            if number == self._loads:
                self.error = error
                self._failed_with = stamps
                self._state = "failed"
            raise
        if number == self._loads:
            self._engine = engine
            self._equip(engine)
            self._state = "ready"

    def _equip(self, engine: Engine | None) -> None:
        if engine is not None:
            engine.workspace = self._workspace

    def _move(self, engine: Engine | None) -> None:
        has_moved = engine is not None and engine.workspace is not self._workspace
        self._equip(engine)
        if has_moved:
            memory.give_back()  # what was read in the workspace before

    def _drop_engine(self) -> None:
        self._engine = None
        memory.give_back()
