"""Answers the requests of a recorded session again, and compares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from midfill.common.cancel import CancelFlag
from midfill.common.errors import RecordError
from midfill.common.reasons import Reason
from midfill.completion.cache import CompletionCache
from midfill.completion.engine import CompletionEngine, load_engine
from midfill.completion.types import Completion, Request, no_suggestion
from midfill.inference.bundle import load_bundle
from midfill.prompt.snippets import WorkspaceSnippets
from midfill.recording.digests import bundle_digest
from midfill.recording.events import Answer, Answered, Asked, Changed, Loaded, Question, Stopped, TypedAlong, Unread
from midfill.recording.record_file import damaged, read_events
from midfill.recording.recorder import DECISIVE, answer_of, without_time
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
    recorded: Answer | None
    """None if the server ended before it answered."""
    now: Answer

    @property
    def difference(self) -> str:
        """What differs; "" for nothing."""
        if self.recorded is None:
            return "unanswered"
        if self.recorded == self.now:
            return ""
        return "prompt" if self.recorded.prompt != self.now.prompt else "answer"


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
