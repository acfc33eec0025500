"""Runs actions one at a time, on the model that suggests or on a larger one, while typing comes first.

Actions have a thread of their own. Each step of a model in this process waits in the queue of the completion worker, so
the machine's cores have one queue (:mod:`midfill.inference.preemption`). The larger model is at a server or in this
process: an engine process of its own would compute at the same time as the one that types.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from midfill.actions import Action, ActionResult, ActionTask, Perform, perform
from midfill.actions.action import Runs
from midfill.actions.from_project import look_into
from midfill.actions.larger_model import with_advice
from midfill.actions.reasons import ActionReason, Faulty
from midfill.chat.conversation import Conversation
from midfill.common import memory
from midfill.common.cancel import CancelFlag
from midfill.common.errors import ModelLost
from midfill.common.file_identity import resolve
from midfill.common.idle_timer import IdleTimer
from midfill.completion.lifecycle import Engine
from midfill.completion.scheduler import Scheduler
from midfill.engine.open_model import open_for_actions
from midfill.inference.bundle import MANIFEST
from midfill.inference.bundle_versions import stamps_of_files
from midfill.inference.token_generator import LanguageModel
from midfill.retrieval.service import Workspace
from midfill.session.own_model import LoadModel, OwnModel
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings, needs_reload

_CONVERSATION_KEPT_SECONDS = 300.0
"""How long the last conversation is kept for a follow-up question. It takes 25 MB for 1,000 tokens (0.5B)."""


class ActionRunner:
    """The actions of one client; for use on one event loop."""

    def __init__(
        self,
        scheduler: Scheduler,
        settings: LiveSettings,
        load: LoadModel = open_for_actions,
        perform: Perform = perform,
        project: Callable[[], Workspace | None] = lambda: None,
        runs: Callable[[str], Runs | None] = lambda _: None,
    ) -> None:
        """Run on the scheduler's model, or on one of their own.

        Args:
            scheduler: has the model that suggests, and the queue of the cores.
            settings: the settings in force.
            load: loads a model of their own.
            perform: does an action.
            project: returns the workspace, of which an action may see other files.
            runs: returns what may be run for a document, by its path; None for nothing.
        """
        self._scheduler = scheduler
        self._settings = settings
        self._perform_action = perform
        self._project = project
        self._runs = runs
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="midfill-actions")
        self._own = OwnModel("actions", load)
        self._conversation: Conversation | None = None
        self._conversation_model: LanguageModel | None = None
        self._forget_timer = IdleTimer(_CONVERSATION_KEPT_SECONDS, self._forget)
        self._unload_timer = IdleTimer(settings.now.unload_minutes * 60, self._unload)
        self._flags: set[CancelFlag] = set()
        settings.on_change(self._settings_changed)

    async def perform(
        self,
        action: Action,
        task: ActionTask,
        cancel: CancelFlag,
        *,
        on_text: Callable[[str], None] = lambda _: None,
        on_progress: Callable[[str], None] = lambda _: None,
    ) -> ActionResult:
        """Do an action, after those that were asked for before. Both listeners are called from another thread.

        ``on_text`` gets the text for a person piece by piece, ``on_progress`` a few words about how far it is.

        Raises:
            Cancelled: ``cancel`` was set.
            MidfillError: there is no model, or it failed.
            asyncio.CancelledError: the caller was cancelled; the work stops within a step.
        """
        self._flags.add(cancel)
        self._forget_timer.stop()
        self._unload_timer.stop()
        try:
            engine = await self._scheduler.acquire()
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

    def _settings_changed(self, before: Settings, now: Settings) -> None:
        self._unload_timer.seconds = now.unload_minutes * 60
        if needs_reload(before, now) or _named(before) != _named(now):
            self._unload()

    def _forget(self) -> None:
        self._thread.submit(self._drop, own_model=False)

    def _unload(self) -> None:
        self._thread.submit(self._drop, own_model=True)

    # The methods below run on the actions' own thread.

    def _perform(
        self,
        engine: Engine,
        action: Action,
        task: ActionTask,
        cancel: CancelFlag,
        on_text: Callable[[str], None],
        on_progress: Callable[[str], None],
    ) -> ActionResult:
        steps = self._scheduler.steps
        with steps.working():
            workspace = engine.workspace
            path = task.opened_as or task.selection.path
            if workspace is not None and steps.run(lambda _: workspace.excludes(path), cancel):
                return ActionResult.refused(Faulty(ActionReason.EXCLUDED), task)
            if (project := self._project()) is not None:
                others = self._settings.now.workspace_tokens
                task = replace(task, look=look_into(project, others, task.open_text))
            task = replace(task, runs=self._runs(task.selection.path))
            model = self._own_model(on_progress, engine.model) or engine.model
            cancel.check()
            if self._conversation is None or self._conversation_model is not model:
                drafts = self._settings.now.draft_tokens
                self._conversation = Conversation(model, max_draft_tokens=drafts, steps=steps)
                self._conversation_model = model
            try:
                result = self._perform_action(action, task, self._conversation, cancel, on_text, on_progress)
                return with_advice(result, self._settings.now)
            except ModelLost as error:
                self._drop(own_model=True)
                if model is engine.model:
                    self._scheduler.discard(error)
                raise

    def _own_model(self, on_progress: Callable[[str], None], typing: LanguageModel) -> LanguageModel | None:
        """Return the model for actions, if they have one of their own that works. Load it first if need be."""
        settings = self._settings.now
        if not _has_own_model(settings):
            return None

        def named() -> object:
            return settings.actions_engine, settings.actions_bundle, stamps_of_files(settings.actions_bundle)

        return self._own.get(settings, typing, named, lambda: on_progress("loading the model for actions"))

    def _drop(self, *, own_model: bool) -> None:
        self._conversation = self._conversation_model = None
        if own_model:
            self._own.drop()
        memory.give_back()


def _has_own_model(settings: Settings) -> bool:
    """Whether actions have another model than suggestions."""
    folder = settings.actions_bundle
    is_other = (folder / MANIFEST).is_file() and resolve(folder) != resolve(settings.bundle)
    return bool(settings.actions_engine) or is_other


def _named(settings: Settings) -> tuple[object, ...]:
    """Return all that says which model actions have."""
    server = (settings.actions_engine, settings.actions_engine_model, settings.actions_engine_key_file)
    return (settings.actions_bundle, *server)
