"""Actions done for an editor: one at a time, on the model that suggests or on a larger one, while typing comes first.

An action has a thread of its own; each step of its model is a turn on the completer's worker, so that there is one
queue for the machine's cores (:mod:`midfill.inference.preemption`).
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

from midfill.actions import Action, ActionResult, ActionTask, perform
from midfill.actions.reasons import ActionReason, Faulty
from midfill.chat.conversation import Conversation
from midfill.common import memory
from midfill.common.cancel import CancelFlag
from midfill.common.errors import MidfillError
from midfill.common.idle_timer import IdleTimer
from midfill.completion.completer import Completer
from midfill.completion.engine import Engine, load_engine
from midfill.inference.bundle import MANIFEST
from midfill.inference.preemption import PreemptibleModel
from midfill.settings.schema import Settings

_KEPT_SECONDS = 300.0
"""How long the last conversation is kept, with some 25 MB a thousand tokens, for a question that goes on from it."""
_log = logging.getLogger(__name__)

Load = Callable[[Settings], Engine]


class ActionRunner:
    """For use on one event loop."""

    def __init__(self, completer: Completer, settings: Settings, load: Load = load_engine) -> None:
        """Work with the completer's model, or with the one that ``load`` makes of the actions' own bundle."""
        self._completer = completer
        self._settings = settings
        self._load = load
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="midfill-actions")
        self._larger: Engine | None = None
        self._refused: Path | None = None
        """The folder of a bundle that could not be loaded."""
        self._conversation: Conversation | None = None
        self._newest: Engine | None = None
        """Whose conversation it is."""
        self._forget_timer = IdleTimer(_KEPT_SECONDS, self._forget)
        self._unload_timer = IdleTimer(settings.unload_minutes * 60, self._unload)
        self._flags: set[CancelFlag] = set()

    def use(self, completer: Completer, settings: Settings) -> None:
        """Work with another completer, or by other settings, from the next action on."""
        changed = completer is not self._completer or settings.actions_bundle != self._settings.actions_bundle
        self._completer, self._settings = completer, settings
        self._unload_timer.seconds = settings.unload_minutes * 60
        if changed:
            self._unload()

    async def perform(
        self,
        action: Action,
        task: ActionTask,
        cancel: CancelFlag,
        *,
        on_text: Callable[[str], None] = lambda _: None,
        on_progress: Callable[[str], None] = lambda _: None,
    ) -> ActionResult:
        """Do an action after those asked for before; both listeners are called from another thread.

        ``on_text`` is given what there is to read piece by piece, ``on_progress`` in words how far it is.

        Raises:
            Cancelled: ``cancel`` was set.
            MidfillError: there is no model, or it failed.
            asyncio.CancelledError: the caller was cancelled; the work stops within a step.
        """
        self._flags.add(cancel)
        self._forget_timer.stop()
        self._unload_timer.stop()
        try:
            engine = cast("Engine", await self._completer.acquire())
            work = self._thread.submit(self._perform, engine, action, task, cancel, on_text, on_progress)
            return await asyncio.wrap_future(work)
        except asyncio.CancelledError:
            cancel.set("cancelled")
            raise
        finally:
            self._flags.discard(cancel)
            if not self._flags:
                self._forget_timer.restart()
                self._unload_timer.restart()

    def close(self) -> None:
        """Stop what runs and what waits."""
        self._forget_timer.stop()
        self._unload_timer.stop()
        for flag in self._flags:
            flag.set("closed")
        self._thread.shutdown(wait=True)

    def _forget(self) -> None:
        self._thread.submit(self._drop, larger=False)

    def _unload(self) -> None:
        self._thread.submit(self._drop, larger=True)

    # All below runs on the assistant's own thread.

    def _perform(
        self,
        engine: Engine,
        action: Action,
        task: ActionTask,
        cancel: CancelFlag,
        on_text: Callable[[str], None],
        on_progress: Callable[[str], None],
    ) -> ActionResult:
        turns = self._completer.turns
        with turns.working():
            workspace = engine.workspace
            path = task.selection.path
            if workspace is not None and turns.take(lambda _: workspace.excludes(path), cancel):
                return ActionResult.refused(Faulty(ActionReason.EXCLUDED), task)
            chosen = self._larger_engine(on_progress) or engine
            cancel.check()
            if self._conversation is None or self._newest is not chosen:
                self._conversation = Conversation(chosen, model=PreemptibleModel(chosen.model, turns))
                self._newest = chosen
            return perform(action, task, self._conversation, cancel, on_text, on_progress)

    def _larger_engine(self, on_progress: Callable[[str], None]) -> Engine | None:
        """Return the engine of the actions' own bundle, if there is one that works; load it if need be."""
        settings = self._settings
        folder = settings.actions_bundle
        if folder in (settings.bundle, self._refused) or not (folder / MANIFEST).is_file():
            return None
        if self._larger is None:
            on_progress("loading the larger model")
            try:
                self._larger = self._load(dataclasses.replace(settings, bundle=folder))
            except MidfillError as error:
                self._refused = folder
                _log.warning("The bundle for actions cannot be used, the other one serves them: %s", error)
        return self._larger

    def _drop(self, *, larger: bool) -> None:
        self._conversation = self._newest = None
        if larger:
            self._larger = None
        memory.give_back()
