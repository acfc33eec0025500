"""Predicts edits on a thread of its own, one at a time, while typing comes first.

Each step of the model waits in the queue of the completion worker (:mod:`midfill.inference.preemption`), so a
suggestion interrupts it. A newer request, or a key, ends it. That holds for a model of its own, too, which is therefore
in this process, as that of actions is.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from midfill.common import memory
from midfill.common.cancel import CancelFlag, Cancelled
from midfill.common.errors import MidfillError, ModelChanged
from midfill.common.file_identity import resolve
from midfill.common.idle_timer import IdleTimer
from midfill.common.logs import describe
from midfill.common.reasons import Reason
from midfill.completion.lifecycle import Engine
from midfill.completion.scheduler import Scheduler
from midfill.engine.open_model import open_for_edits
from midfill.inference.bundle_versions import stamps_of_files
from midfill.inference.token_generator import LanguageModel
from midfill.next_edit.predictor import MAX_CONTEXT, EditPredictor
from midfill.next_edit.search import Situation, search
from midfill.next_edit.types import NextEdit
from midfill.session.own_model import LoadModel, OwnModel
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings, needs_reload

_KEPT_SECONDS = 300.0
"""How long the predictor and its KV cache are kept after the last request."""
_MAX_SECONDS = 8.0
"""Maximum time to generate at one place. An edit that comes later is not looked at any more."""
_log = logging.getLogger(__name__)


def _load(settings: Settings, _typing: LanguageModel) -> LanguageModel:
    return open_for_edits(settings, MAX_CONTEXT)


class EditRunner:
    """The predictions of one client; for use on one event loop."""

    def __init__(
        self,
        scheduler: Scheduler,
        settings: LiveSettings,
        name_of: Callable[[str], str] = lambda path: path,
        *,
        load: LoadModel = _load,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Predict by the scheduler's model, or by one of its own.

        Args:
            scheduler: has the model that suggests, and the queue for steps.
            settings: say which model it is.
            name_of: returns the name of a document that the prompt has, by its path.
            load: loads a model of its own.
            tell: gets a line if that cannot be loaded, on the event loop.
        """
        self._scheduler = scheduler
        self._settings = settings
        self._name_of = name_of
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="midfill-next-edit")
        self._tell = tell
        self._news: list[str] = []
        """Lines that the user has not been told yet."""
        self._own = OwnModel("next edits", load, self._news.append)
        self._predictor: EditPredictor | None = None
        self._made_for: tuple[LanguageModel, float] | None = None
        self._forget_timer = IdleTimer(_KEPT_SECONDS, self._forget)
        self._unload_timer = IdleTimer(settings.now.unload_minutes * 60, self._unload)
        self._flag = CancelFlag()
        settings.on_change(self._settings_changed)

    async def predict(self, situation: Situation) -> NextEdit:
        """Return the next edit, or the reason why there is none. What was asked for before ends.

        Raises:
            asyncio.CancelledError: the caller was cancelled; the work stops within a step.
        """
        self.interrupt(Reason.SUPERSEDED)
        self._flag = flag = CancelFlag()
        self._forget_timer.restart()
        self._unload_timer.restart()
        try:
            engine = await self._scheduler.acquire(before_work_ahead=False)
            return await asyncio.wrap_future(self._thread.submit(self._predict, engine, situation, flag))
        except asyncio.CancelledError:
            flag.set(Reason.CANCELLED)
            raise
        except (MidfillError, RuntimeError):  # there is no model, or the server ends
            return NextEdit(place=situation.cursor, reason=Reason.IDLE)
        finally:
            while self._news:
                self._tell(self._news.pop())

    def interrupt(self, reason: Reason) -> None:
        """End what runs within a step, and answer it with ``reason``."""
        self._flag.set(reason)

    def close(self) -> None:
        """Stop what runs and what waits."""
        self._forget_timer.stop()
        self._unload_timer.stop()
        self.interrupt(Reason.CLOSED)
        self._thread.shutdown(wait=True)

    def _settings_changed(self, before: Settings, now: Settings) -> None:
        self._unload_timer.seconds = now.unload_minutes * 60
        if needs_reload(before, now) or not now.next_edit or _named(before) != _named(now):
            self.interrupt(Reason.SUPERSEDED)
            self._unload()

    def _forget(self) -> None:
        self._thread.submit(self._drop, own_model=False)

    def _unload(self) -> None:
        self._thread.submit(self._drop, own_model=True)

    # The methods below run on the thread of their own.

    def _predict(self, engine: Engine, situation: Situation, flag: CancelFlag) -> NextEdit:
        steps = self._scheduler.steps
        try:
            # It does not count as long work in the queue: the next suggestion is warmed up and prefetched all the same.
            allowed = steps.run(lambda _: _without_excluded(engine, situation), flag)
            if situation.cursor.path not in allowed.documents:
                return NextEdit(place=situation.cursor, reason=Reason.EXCLUDED)
            predictor = self._predictor_for(self._own_model(engine.model) or engine.model)
            flag.check()
            return search(predictor, allowed, flag, name_of=self._name_of, seconds=_MAX_SECONDS)
        except Cancelled as stop:
            return NextEdit(place=situation.cursor, reason=Reason(stop.reason))
        except ModelChanged as error:
            if self._made_for is None or self._made_for[0] is engine.model:
                self._scheduler.discard(error)
            self._drop(own_model=True)
        except BaseException as error:  # whatever happens, the request is answered, and the next one is served
            _log.error("the prediction of an edit failed: %s", describe(error))
        return NextEdit(place=situation.cursor, reason=Reason.FAILED)

    def _own_model(self, typing: LanguageModel) -> LanguageModel | None:
        """Return the model of ``nextEditModel``, loaded if need be; None if there is none that works."""
        settings = self._settings.now
        folder = settings.next_edit_bundle
        if folder is None or resolve(folder) == resolve(settings.bundle):
            return None
        return self._own.get(settings, typing, lambda: (_named(settings), stamps_of_files(folder)))

    def _predictor_for(self, model: LanguageModel) -> EditPredictor:
        wanted = (model, self._settings.now.next_edit_confidence)
        if self._predictor is None or self._made_for != wanted:
            self._predictor = EditPredictor(model, steps=self._scheduler.steps, min_confidence=wanted[1])
            self._made_for = wanted
        return self._predictor

    def _drop(self, *, own_model: bool) -> None:
        self._predictor = self._made_for = None
        if own_model:
            self._own.drop()
        memory.give_back()


def _named(settings: Settings) -> tuple[object, ...]:
    """Return all that decides which model is loaded, and whether it may be."""
    return settings.next_edit_model, settings.next_edit_megabytes


def _without_excluded(engine: Engine, situation: Situation) -> Situation:
    """Return what may be read of what is known. Only the completion worker may ask the workspace."""
    workspace = engine.workspace
    if workspace is None:
        return situation
    names = {path: document.opened_as for path, document in situation.documents.items()}
    paths = {*situation.documents, *(hunk.path for hunk in (*situation.history, *situation.undone))}
    excluded = {path for path in paths if workspace.excludes(names.get(path) or path)}
    return dataclasses.replace(
        situation,
        documents={path: document for path, document in situation.documents.items() if path not in excluded},
        history=[hunk for hunk in situation.history if hunk.path not in excluded],
        undone=[hunk for hunk in situation.undone if hunk.path not in excluded],
    )
