"""A fake engine for tests of the scheduler and the lifecycle. Each request waits at a gate and can be stopped there."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any, cast

from midfill.common.cancel import CancelFlag
from midfill.completion.cache import CompletionCache
from midfill.completion.engine import WorkspaceRetrieval
from midfill.completion.lifecycle import EngineLifecycle
from midfill.completion.scheduler import Scheduler
from midfill.completion.types import Completion, Request
from midfill.inference.token_generator import LanguageModel
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings
from unit.clock import ManualClock

PATIENCE = 30.0
"""Maximum number of seconds to wait for an event; then the test fails."""
QUIET = Settings(warm_up_ms=0, prefetch=False, unload_minutes=0)
"""Settings without any timer."""


class GatedEngine:
    """An engine whose requests all wait at a gate. They can be stopped there, except in a long step."""

    def __init__(self, fault: BaseException | None = None, long_step: bool = False, *, open_gate: bool = False) -> None:
        self.fault = fault
        self.long_step = long_step
        self.begun: list[str] = []
        self.warmed_up: list[str] = []
        self.forgotten: list[str] = []
        self.flags: list[CancelFlag] = []
        self.arrived = threading.Semaphore(0)
        self.gate = threading.Event()
        self.workspace: WorkspaceRetrieval | None = None
        self.model = cast("LanguageModel", None)
        if open_gate:
            self.gate.set()

    def spell(self, ids: Sequence[int]) -> str:
        return f"{len(ids)} tokens"

    def complete(self, request: Request, cancel: CancelFlag, cache: CompletionCache) -> Completion:
        self.begun.append(request.text)
        self._wait(cancel)
        return Completion(text=f"{request.text}!", start=request.offset, end=request.offset)

    def warm_up(self, request: Request, cancel: CancelFlag) -> None:
        self.warmed_up.append(request.text)
        self._wait(cancel)

    def forget(self, path: str) -> None:
        self.forgotten.append(path)

    async def has_begun(self) -> None:
        """Wait until the worker has begun one more request."""
        assert await asyncio.to_thread(self.arrived.acquire, timeout=PATIENCE)

    def _wait(self, cancel: CancelFlag) -> None:
        self.flags.append(cancel)
        self.arrived.release()
        if self.long_step:
            assert self.gate.wait(PATIENCE)
        else:
            with cancel.interrupting(self.gate.set):
                assert self.gate.wait(PATIENCE)
            if cancel.is_set:
                self.gate.clear()
        cancel.check()
        if self.fault:
            raise self.fault


class Bench:
    """A scheduler and its lifecycle with one engine, on a clock that the test moves."""

    def __init__(self, engine: GatedEngine, settings: Settings = QUIET) -> None:
        self.clock = ManualClock()
        self.settings = LiveSettings(settings)
        self.lifecycle = EngineLifecycle(self.settings, lambda *_: engine, self.clock)
        self.scheduler = Scheduler(self.lifecycle, self.settings, self.clock)

    async def start(self) -> Bench:
        """Load the engine."""
        await asyncio.wrap_future(self.lifecycle.start())
        return self

    async def worker_is_done(self) -> None:
        """Wait until the worker has done all its work."""
        await asyncio.wrap_future(self.lifecycle.run(lambda _: None))

    def change(self, **settings: Any) -> None:
        """Change some settings."""
        self.settings.change(Settings(**{**vars(self.settings.now), **settings}))

    def close(self) -> None:
        """Stop everything."""
        self.scheduler.close()


def asking(text: str, path: str = "") -> Request:
    """Return a request at the end of a text. Without ``path``, each text is a document of its own."""
    return Request(text=text, offset=len(text), path=path or f"/{text}")


async def reason_of(answer: asyncio.Task[Completion]) -> str:
    """Wait for an answer without a suggestion, and return its reason."""
    completion = await asyncio.wait_for(answer, PATIENCE)
    assert completion.text == ""
    assert completion.start == completion.end
    return completion.reason
