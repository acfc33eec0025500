"""Serves a client as usual, and writes down what is asked and what is answered.

An answer must follow from what the file has. So a recorded session differs from others in what time decides: no
deadline cuts a suggestion, none is computed ahead, none that was interrupted is continued, and the number of tokens
that are read of a document is fixed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from midfill.common.cancel import CancelFlag, Cancelled
from midfill.common.reasons import Reason
from midfill.completion.cache import CompletionCache
from midfill.completion.engine import CompletionEngine, WorkspaceRetrieval, load_engine
from midfill.completion.lifecycle import EngineLifecycle
from midfill.completion.scheduler import Scheduler
from midfill.completion.types import Completion, Request, no_suggestion
from midfill.inference.loaded_model import OnLoading
from midfill.inference.token_generator import LanguageModel
from midfill.prompt.snippets import WorkspaceSnippets
from midfill.recording.digests import bundle_digest, processor, prompt_digest
from midfill.recording.events import Answer, Answered, Asked, Changed, Loaded, Question, Stopped, TypedAlong, Unread
from midfill.recording.hidden import HiddenRequest
from midfill.recording.record_file import RecordWriter
from midfill.recording.texts import TextWriter
from midfill.settings.live import LiveSettings
from midfill.settings.schema import ATTRIBUTES, MEASURED_CONTEXT, Settings

DECISIVE = (
    *("enabled", "contextTokens", "workspaceTokens", "maxTokens", "maxLines", "minConfidence", "languages"),
    *("quietLanguages", "quietFolders", "quietInComments", "quietInStrings", "draftTokens"),
)
"""The settings that answers depend on. Folders of the user's are not among them."""


class LoadEngine(Protocol):
    """Loads an engine: :func:`midfill.completion.engine.load_engine`."""

    def __call__(self, settings: LiveSettings, on_loading: OnLoading = ...) -> CompletionEngine:
        """Return an engine that reads ``settings``."""


def recording(writer: RecordWriter, load: LoadEngine = load_engine) -> Callable[[LiveSettings], Scheduler]:
    """Return what makes the scheduler of a session that is recorded."""
    record = Record(writer)

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


def answer_of(completion: Completion) -> Answer:
    """Return what is recorded of a completion."""
    return Answer(
        text=completion.text,
        replaces=completion.end - completion.start,
        alternatives=tuple(other.text for other in completion.alternatives),
        reason=completion.reason.value,
        prompt=prompt_digest([token for part in completion.parts for token in part.ids]),
    )


class Record:
    """The session so far; for use in any thread."""

    def __init__(self, writer: RecordWriter) -> None:
        self._writer = writer
        self._lock = threading.Lock()
        self._texts = TextWriter()
        self._settings: Mapping[str, Any] = {}
        self._snippets: WorkspaceSnippets | None = None

    def loaded(self, model: LanguageModel, settings: Settings) -> None:
        """Note that a model was loaded."""
        with self._lock:
            self._settings = _decisive(settings)
            manifest = model.manifest
            loaded = Loaded(
                name=manifest.name, digest=bundle_digest(manifest), processor=processor(), settings=self._settings
            )
            self._writer.write(loaded)

    def asked(self, request: Request, settings: Settings) -> None:
        """Note a request without secrets, before it is answered."""
        with self._lock:
            if self._settings != (now := _decisive(settings)):
                self._settings = now
                self._writer.write(Changed(settings=now))
            self._writer.write(Asked(question=self._question(request)))

    def answered(self, completion: Completion, snippets: WorkspaceSnippets) -> None:
        """Note the answer to the last request, and what was found for it in other files."""
        with self._lock:
            same = snippets == self._snippets
            self._snippets = snippets
            self._writer.write(Answered(answer=answer_of(completion), snippets=None if same else snippets))

    def stopped(self, reason: str) -> None:
        """Note that the last request was interrupted."""
        with self._lock:
            self._writer.write(Stopped(reason=reason))

    def unread(self, reason: Reason) -> None:
        """Note that a request was answered without its document. Nothing of it is written."""
        with self._lock:
            self._writer.write(Unread(reason=reason.value))

    def typed_along(self, request: Request, completion: Completion) -> None:
        """Note a request without secrets, and its answer from the completion cache."""
        with self._lock:
            self._writer.write(TypedAlong(question=self._question(request), answer=answer_of(completion)))

    def _question(self, request: Request) -> Question:
        path = _without_home(request.path)
        return Question(
            path=path,
            language=request.language,
            automatic=request.automatic,
            alternatives=request.alternatives,
            offset=request.offset,
            edit=self._texts.edit_to(path, request.text),
        )


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
        record.loaded(engine.model, settings.now)

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
        self._record.unread(reason)
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

    def snippets_at(
        self, path: str, text: str, offset: int, language: str, budget: int, window: int
    ) -> WorkspaceSnippets:
        if self.workspace is not None:
            self.snippets = self.workspace.snippets_at(path, text, offset, language, budget, window)
        return self.snippets

    def forget(self, path: str) -> None:
        if self.workspace is not None:
            self.workspace.forget(path)


def _decisive(settings: Settings) -> Mapping[str, Any]:
    values = {name: getattr(settings, ATTRIBUTES[name]) for name in DECISIVE}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _without_home(path: str) -> str:
    """Return a path without the name of the user, where it begins with the home folder."""
    home = str(Path.home())
    return f"~{path.removeprefix(home)}" if path.startswith(f"{home}{os.sep}") else path
