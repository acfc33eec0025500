"""Serves a client as usual, and writes down what is asked and what is answered.

An answer must follow from what the file has. So a recorded session differs from others in what time decides: no
deadline cuts a suggestion, none is computed ahead, none that was interrupted is continued, and the number of tokens
that are read of a document is fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from midfill.actions import ACTIONS, Action, ActionResult, ActionTask, perform
from midfill.actions.from_project import FromProject
from midfill.actions.selection import Selection
from midfill.chat.conversation import Conversation
from midfill.common.cancel import CancelFlag, Cancelled
from midfill.common.reasons import Reason
from midfill.completion.cache import CompletionCache
from midfill.completion.engine import CompletionEngine, WorkspaceRetrieval, load_engine
from midfill.completion.lifecycle import EngineLifecycle
from midfill.completion.scheduler import Scheduler
from midfill.completion.types import Completion, Request, no_suggestion
from midfill.inference.token_generator import OnLoading
from midfill.prompt.snippets import WorkspaceSnippets
from midfill.recording.hidden import HiddenRequest
from midfill.recording.session_record import Record
from midfill.settings.live import LiveSettings
from midfill.settings.schema import MEASURED_CONTEXT, Settings

REPEATABLE = frozenset(ACTIONS) - {"tests"}
"""The actions that are recorded, with what they found in the project. Tests also read the file that they go to."""


class LoadEngine(Protocol):
    """Loads an engine: :func:`midfill.completion.engine.load_engine`."""

    def __call__(self, settings: LiveSettings, on_loading: OnLoading = ...) -> CompletionEngine:
        """Return an engine that reads ``settings``."""


def recording(record: Record, load: LoadEngine = load_engine) -> Callable[[LiveSettings], Scheduler]:
    """Return what makes the scheduler of a session that is recorded."""

    def make_scheduler(settings: LiveSettings) -> Scheduler:
        timeless = LiveSettings(without_time(settings.now))
        settings.on_change(lambda _, now: timeless.change(without_time(now)))

        def load_recorded(live: LiveSettings, on_loading: OnLoading) -> RecordedEngine:
            return RecordedEngine(load(live, on_loading), live, record)

        return RecordedScheduler(EngineLifecycle(timeless, load_recorded), timeless, record)

    return make_scheduler


def without_time(settings: Settings) -> Settings:
    """Return settings with which no answer depends on time."""
    tokens = settings.context_tokens or MEASURED_CONTEXT
    return replace(settings, context_tokens=tokens, deadline_ms=0, prefetch=False)


class RecordedScheduler(Scheduler):
    """A scheduler that also records what it answers without the engine."""

    def __init__(self, lifecycle: EngineLifecycle, settings: LiveSettings, record: Record) -> None:
        super().__init__(lifecycle, settings)
        self._record = record

    async def complete(self, request: Request) -> Completion:
        """See :meth:`midfill.completion.scheduler.Scheduler.complete`."""
        completion = await super().complete(request)
        if completion.text and not completion.prompt_tokens:  # it comes from the completion cache
            hidden = HiddenRequest.of(request)
            if not hidden.in_secret:
                self._record.typed_along(hidden.request, completion)
        return completion


class RecordedEngine:
    """An engine that records what it answers, and answers by what is recorded. It is used on the worker."""

    def __init__(self, engine: CompletionEngine, settings: LiveSettings, record: Record) -> None:
        self._engine = engine
        self.model = engine.model
        self._settings = settings
        self._record = record
        self._found = _FoundSnippets()
        record.loaded(engine.model.manifest, settings.now)

    @property
    def workspace(self) -> WorkspaceRetrieval | None:
        """Answers questions about other files."""
        return self._found.workspace

    @workspace.setter
    def workspace(self, workspace: WorkspaceRetrieval | None) -> None:
        self._found.workspace = workspace
        self._engine.workspace = None if workspace is None else self._found

    def complete(
        self,
        request: Request,
        cancel: CancelFlag,
        cache: CompletionCache,  # noqa: ARG002 -- it has what was interrupted, which is not continued
    ) -> Completion:
        """See :meth:`midfill.completion.engine.CompletionEngine.complete`. Excluded documents are not recorded."""
        if self._engine.excludes(request):
            return self._unread(request, Reason.EXCLUDED)
        hidden = HiddenRequest.of(request)
        if hidden.in_secret:
            return self._unread(request, Reason.IN_SECRET)
        self._record.asked(hidden.request, self._settings.now)
        self._found.snippets = WorkspaceSnippets()
        try:
            completion = self._engine.complete(hidden.request, cancel)
        except Cancelled as stop:
            self._record.stopped(stop.reason)
            raise
        except BaseException:  # a panic in the tokenizer is not an Exception
            self._record.answered(no_suggestion(request, Reason.FAILED), self._found.snippets)
            raise
        self._record.answered(completion, self._found.snippets)
        return hidden.shown(completion)

    def _unread(self, request: Request, reason: Reason) -> Completion:
        self._record.unread(reason.value)
        return no_suggestion(request, reason)

    def warm_up(self, request: Request, cancel: CancelFlag) -> None:
        """See :meth:`midfill.completion.engine.CompletionEngine.warm_up`."""
        self._engine.warm_up(HiddenRequest.of(request).request, cancel)

    def forget(self, path: str) -> None:
        """See :meth:`midfill.completion.engine.CompletionEngine.forget`."""
        self._engine.forget(path)

    def spell(self, ids: Sequence[int]) -> str:
        """Return the text of tokens."""
        return self._engine.spell(ids)


class _FoundSnippets:
    """A workspace whose latest answer is kept."""

    def __init__(self) -> None:
        self.workspace: WorkspaceRetrieval | None = None
        self.snippets = WorkspaceSnippets()

    def excludes(self, path: str) -> bool:
        return self.workspace is not None and self.workspace.excludes(path)

    def snippets_at(self, *place: Any, **more: Any) -> WorkspaceSnippets:
        if self.workspace is not None:
            self.snippets = self.workspace.snippets_at(*place, **more)
        return self.snippets

    def forget(self, path: str) -> None:
        if self.workspace is not None:
            self.workspace.forget(path)


class RecordedActions:
    """Does actions and records them. It is used on the actions' own thread."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def perform(
        self,
        action: Action,
        task: ActionTask,
        conversation: Conversation,
        cancel: CancelFlag,
        on_text: Callable[[str], None],
        on_progress: Callable[[str], None],
    ) -> ActionResult:
        """See :func:`midfill.actions.perform.perform`. An action that writes to another file is not recorded."""
        found: list[FromProject] = []

        def look(selection: Selection) -> FromProject:
            found.append(task.look(selection))
            return found[-1]

        result = perform(action, replace(task, look=look), conversation, cancel, on_text, on_progress)
        if action.name in REPEATABLE:
            self._record.acted(action, task, conversation.manifest, result, found)
        else:
            self._record.unread(result.reason or "")
        return result
