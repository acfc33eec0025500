"""One worker, newest request wins: keeps an engine loading, ready and busy with what was asked last."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Literal, Protocol

from midfill.cancel import CancelFlag, Cancelled
from midfill.completion import Completion, Request
from midfill.engine import Progress, load_engine
from midfill.logs import describe
from midfill.settings import Settings

_log = logging.getLogger(__name__)


class CanComplete(Protocol):
    """What a completer drives; :class:`midfill.engine.Engine` in earnest."""

    def complete(self, request: Request, cancel: CancelFlag) -> Completion:
        """Suggest, until ``cancel`` is set; raises as :meth:`midfill.engine.Engine.complete`."""


Load = Callable[[Progress], CanComplete]


def engine_loader(settings: Settings) -> Load:
    """Return what loads the engine that ``settings`` describe."""
    return lambda progress: load_engine(settings, progress)


class Completer:
    """Loads an engine in the background, then completes with it; every request gets an answer."""

    def __init__(self, load: Load) -> None:
        self._load = load
        # pygls reads its input in a thread pool of its own: borrowing that one could stop the server from listening.
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="midfill")
        self._engine: CanComplete | None = None
        self._newest = CancelFlag()
        self.state: Literal["idle", "loading", "ready", "failed", "closed"] = "idle"
        self.error: BaseException | None = None

    def start(self, progress: Progress = lambda *_: None) -> Future[None]:
        """Begin to load; the future ends with it, or raises what ``error`` then holds, a MidfillError at best."""
        self.state = "loading"
        return self._worker.submit(self._load_engine, progress)

    async def complete(self, request: Request) -> Completion:
        """Suggest, or say why not; an older request that still runs is answered "superseded".

        Raises:
            asyncio.CancelledError: the caller was cancelled; the work stops within a step.
        """
        engine = self._engine
        if engine is None:
            return _nothing(request, self.state)
        flag = CancelFlag()
        self._newest.set("superseded")
        self._newest = flag
        work = self._worker.submit(_run, engine, request, flag)
        try:
            return await asyncio.wrap_future(work)
        except asyncio.CancelledError:
            flag.set("cancelled")
            raise

    def close(self) -> None:
        """Stop what runs, answer what waits, and end the worker; loading cannot be stopped and is waited for."""
        self._newest.set("cancelled")  # the older ones are superseded: all that waits ends as soon as it begins
        self._worker.shutdown(wait=True)
        self._engine = None
        self.state = "closed"

    def _load_engine(self, progress: Progress) -> None:
        try:
            self._engine = self._load(progress)
        except BaseException as error:  # a panic within the tokenizer is no Exception
            self.error = error
            self.state = "failed"
            raise
        self.state = "ready"


def _run(engine: CanComplete, request: Request, flag: CancelFlag) -> Completion:
    try:
        flag.check()
        return engine.complete(request, flag)
    except Cancelled as stop:
        return _nothing(request, stop.reason)
    except BaseException as error:  # whatever happens, the request is answered, and the next one is served
        _log.error("completion failed: %s", describe(error))
        return _nothing(request, "failed")


def _nothing(request: Request, reason: str) -> Completion:
    return Completion(text="", start=request.offset, end=request.offset, reason=reason)
