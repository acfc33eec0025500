"""Answers the requests of a recorded session again, and compares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from midfill.actions import ACTIONS, ActionTask, perform
from midfill.actions.from_project import FromProject
from midfill.actions.selection import Selection
from midfill.chat.conversation import Conversation
from midfill.code.languages import language_of
from midfill.common.cancel import CancelFlag
from midfill.common.errors import RecordError
from midfill.common.reasons import Reason
from midfill.completion.cache import CompletionCache
from midfill.completion.engine import CompletionEngine, load_engine
from midfill.completion.types import Completion, Request, no_suggestion
from midfill.inference.bundle import MANIFEST, load_bundle
from midfill.inference.loaded_model import load_model
from midfill.inference.token_generator import LanguageModel
from midfill.prompt.snippets import WorkspaceSnippets
from midfill.recording.digests import bundle_digest
from midfill.recording.events import (
    Acted,
    ActionAnswer,
    Answer,
    Answered,
    Asked,
    Changed,
    Loaded,
    Question,
    Stopped,
    TypedAlong,
    Unread,
)
from midfill.recording.record_file import damaged, read_events
from midfill.recording.recorder import REPEATABLE, without_time
from midfill.recording.session_record import DECISIVE, action_answer_of, answer_of
from midfill.recording.texts import TextReader
from midfill.settings import schema
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings

_MAX_ALTERNATIVES = 10


@dataclass(frozen=True)
class Replayed:
    """One request, with both of its answers."""

    path: str
    line: int
    column: int
    """The cursor, from 1, in characters."""
    recorded: Answer | ActionAnswer | None
    """None if the server ended before it answered."""
    now: Answer | ActionAnswer

    @property
    def difference(self) -> str:
        """What differs; "" for nothing."""
        if self.recorded is None:
            return "unanswered"
        if self.recorded == self.now:
            return ""
        prompts = {getattr(answer, "prompt", "") for answer in (self.recorded, self.now)}
        return "answer" if len(prompts) == 1 else "prompt"


class Replay:
    """The replay of one file, by the bundle that the user's own settings name."""

    def __init__(self, file: Path, own: Settings) -> None:
        self._file = file
        self._own = own
        self.processor = ""
        """The processor on which the file was recorded, so far as it was read."""
        self.interrupted = 0
        """Number of requests that were interrupted. They have no answer to compare."""
        self.unread = 0
        """Number of requests about excluded documents and places in secrets, which the file does not have."""
        self._engine: CompletionEngine | None = None
        self._settings = LiveSettings(own)
        self._snippets = _RecordedSnippets()
        self._conversations: dict[str, Conversation] = {}
        self._cache = CompletionCache()
        self._texts = TextReader()
        self._asked: Request | None = None

    def answers(self) -> Iterator[Replayed]:
        """Yield each request that was answered, in the order of the file, and the last one even if it was not.

        Raises:
            RecordError: the file cannot be read, is damaged, or was recorded with another bundle.
            BundleError: as :func:`midfill.completion.engine.load_engine`.
        """
        for number, event in read_events(self._file):
            try:
                if isinstance(event, Loaded):
                    self._load(event)
                elif isinstance(event, Changed):
                    self._settings.change(self._read(event.settings))
                elif isinstance(event, Asked):
                    self._asked = self._request(event.question)
                elif isinstance(event, Stopped):
                    self._take()
                    self.interrupted += 1
                elif isinstance(event, Unread):
                    self.unread += 1
                elif isinstance(event, Answered):
                    yield self._answer(self._take(), event)
                elif isinstance(event, Acted):
                    yield self._act(event)
                elif isinstance(event, TypedAlong):
                    yield self._type_along(self._request(event.question), event.answer)
            except ValueError:
                raise damaged(self._file, number) from None
        if self._asked is not None:
            yield _compared(self._asked, None, self._complete(self._asked))

    def _load(self, event: Loaded) -> None:
        manifest = load_bundle(self._own.bundle).manifest
        if bundle_digest(manifest) != event.digest:
            raise RecordError(
                f"{self._file} was recorded with another bundle than {self._own.bundle}, or with another version of"
                " it: name that one with --bundle."
            )
        self.processor = event.processor
        self._settings = LiveSettings(self._read(event.settings))
        self._engine = load_engine(self._settings, workspace=self._snippets)

    def _read(self, recorded: Mapping[str, Any]) -> Settings:
        values, problems = schema.read(recorded)
        if problems or not set(recorded) <= set(DECISIVE):
            raise ValueError
        return without_time(replace(self._own, **values))

    def _request(self, question: Question) -> Request:
        if not 1 <= question.alternatives <= _MAX_ALTERNATIVES:
            raise ValueError
        return Request(
            text=self._texts.text_of(question),
            offset=question.offset,
            path=question.path,
            language=question.language,
            automatic=question.automatic,
            alternatives=question.alternatives,
        )

    def _take(self) -> Request:
        if self._asked is None:
            raise ValueError
        request, self._asked = self._asked, None
        return request

    def _answer(self, request: Request, event: Answered) -> Replayed:
        if event.snippets is not None:
            self._snippets.snippets = event.snippets
        completion = self._complete(request)
        self._cache.add(request, completion)
        return _compared(request, event.answer, completion)

    def _complete(self, request: Request) -> Completion:
        if self._engine is None:
            raise ValueError
        try:
            return self._engine.complete(request, CancelFlag())
        except Exception:  # the scheduler gives the same answer for it
            return no_suggestion(request, Reason.FAILED)

    def _act(self, event: Acted) -> Replayed:
        text = self._texts.edited(event.path, event.edit)
        if event.action not in REPEATABLE:
            raise ValueError
        selection = Selection(
            text, language_of(event.path, event.language), event.first_line, event.end_line, event.path
        )
        found = iter(event.found)
        task = ActionTask(
            selection,
            message=event.message,
            instruction=event.instruction,
            history=event.history,
            whole_file=event.whole_file,
            open_text=lambda _: "",  # nothing that the file names is read
            look=lambda _: next(found, FromProject()),
        )
        result = perform(ACTIONS[event.action], task, self._conversation(event.digest), CancelFlag())
        return Replayed(event.path, event.first_line + 1, 1, event.answer, action_answer_of(result, selection.secrets))

    def _conversation(self, digest: str) -> Conversation:
        """Return a conversation with the model of a digest, of the bundle for suggestions or the one for actions."""
        if self._engine is None:
            raise ValueError
        if digest not in self._conversations:
            model: LanguageModel = self._engine.model
            if bundle_digest(model.manifest) != digest and (self._own.actions_bundle / MANIFEST).is_file():
                model = load_model(replace(self._own, bundle=self._own.actions_bundle))
            if bundle_digest(model.manifest) != digest:
                raise RecordError(
                    f"{self._file} has an action of another model than those of this machine: get it, or set"
                    " 'actionsBundle'."
                )
            self._conversations[digest] = Conversation(model, max_draft_tokens=self._own.draft_tokens)
        return self._conversations[digest]

    def _type_along(self, request: Request, recorded: Answer) -> Replayed:
        completion = self._cache.find(request) or no_suggestion(request, Reason.BLANK)
        return _compared(request, recorded, completion)


class _RecordedSnippets:
    """Stands in for the workspace: says what was found when the session was recorded."""

    def __init__(self) -> None:
        self.snippets = WorkspaceSnippets()

    def excludes(self, _: str) -> bool:
        return False

    def snippets_at(self, *_: object, **__: object) -> WorkspaceSnippets:
        return self.snippets

    def forget(self, _: str) -> None:
        """Nothing is remembered."""


def _compared(request: Request, recorded: Answer | None, completion: Completion) -> Replayed:
    line = request.text.count("\n", 0, request.offset) + 1
    column = request.offset - request.text.rfind("\n", 0, request.offset)
    return Replayed(request.path, line, column, recorded, answer_of(completion))
