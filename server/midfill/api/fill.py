"""The text between a prefix and a suffix, by the pipeline that makes an editor's suggestions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from midfill.api.document_names import DocumentNames
from midfill.api.given_files import GivenFile, GivenFiles
from midfill.api.model_worker import ModelWorker
from midfill.common.cancel import CancelFlag
from midfill.completion.cache import CompletionCache
from midfill.completion.lifecycle import Engine
from midfill.completion.types import Completion, Request
from midfill.inference.sampling import Sampling
from midfill.outcomes.journal import Journal, journal_file
from midfill.settings.live import LiveSettings

T = TypeVar("T")
_LIMITS = ("max-tokens", "deadline")
_NOT_INSERTED = "replaces"
"""Why there is no text: the suggestion replaces text right of the cursor, and a client of HTTP can only insert."""


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A place between two texts, and what is wanted there."""

    prefix: str
    suffix: str
    max_tokens: int | None = None
    """Maximum number of tokens; None takes the setting, which is also the most."""
    stops: Sequence[str] = ()
    """Texts before which the text ends."""
    sampling: Sampling | None = None
    path: str = ""
    language: str = ""
    """The document's path and LSP language id; "" if they are not known."""
    automatic: bool = True
    """Whether the client asks while somebody types."""
    files: Sequence[GivenFile] = ()


@dataclass(frozen=True, kw_only=True)
class Filled:
    """The text for a gap, or the reason why there is none."""

    text: str
    reason: str
    """A reason code of :mod:`midfill.common.reasons`, or "replaces"; "" if there is a text."""
    stopped_by: str | None
    """The stop text that has ended the text; None if none has."""
    was_cut: bool
    """Whether the text ended at a limit."""
    completion: Completion


class GapFiller:
    """Fills gaps, each with the files that came with it."""

    def __init__(self, worker: ModelWorker, settings: LiveSettings) -> None:
        self._worker = worker
        self._settings = settings
        self._names = DocumentNames()
        self._given = GivenFiles(settings.now.exclude)
        self._journal = Journal()

    async def fill(self, gap: Gap) -> Filled:
        """Return the text for a gap. It stops within a step if this is cancelled.

        Raises:
            MidfillError: the model cannot be loaded, or fails.
            RequestError: too many requests wait.
        """

        def complete(engine: Engine, request: Request, flag: CancelFlag) -> Completion:
            found = engine.complete(request, flag, CompletionCache())
            self._journal.file = journal_file() if self._settings.now.journal else None
            self._journal.add(request, found)
            return found

        return _inserted(gap, await self._run(gap, complete))

    async def warm_up(self, gap: Gap) -> None:
        """Compute the prompt of a gap ahead.

        Raises:
            MidfillError: the model cannot be loaded, or fails.
            RequestError: too many requests wait.
        """
        await self._run(gap, lambda engine, request, flag: engine.warm_up(request, flag))

    def close(self) -> None:
        """Stop everything."""
        self._given.close()

    async def _run(self, gap: Gap, work: Callable[[Engine, Request, CancelFlag], T]) -> T:
        """Do some work with a gap's request, once the engine knows the files that came with it."""
        request, forgotten = self._request(gap)

        def prepared(engine: Engine, flag: CancelFlag) -> T:
            self._prepare(engine, gap, forgotten)
            return work(engine, request, flag)

        return await self._worker.run(prepared)

    def _request(self, gap: Gap) -> tuple[Request, str | None]:
        """Return the pipeline's request, and the name of a document that need no longer be known, if any."""
        name, forgotten = (gap.path, None) if gap.path else self._names.name(gap.prefix)
        request = Request(
            text=gap.prefix + gap.suffix,
            offset=len(gap.prefix),
            path=name,
            language=gap.language,
            automatic=gap.automatic,
            max_tokens=gap.max_tokens,
            sampling=gap.sampling,
        )
        return request, forgotten

    def _prepare(self, engine: Engine, gap: Gap, forgotten: str | None) -> None:
        """On the worker: let the pipeline see the files that came with the request."""
        self._given.files = gap.files
        engine.workspace = self._given
        if forgotten is not None:
            engine.forget(forgotten)


def _inserted(gap: Gap, completion: Completion) -> Filled:
    """Return what a client inserts at the cursor so that its document has the suggestion."""
    text, reason = completion.text, str(completion.reason)
    if replaced := gap.suffix[: completion.end - completion.start]:
        text, reason = (text.removesuffix(replaced), "") if text.endswith(replaced) else ("", _NOT_INSERTED)
    places = [(place, stop) for stop in gap.stops if stop and (place := text.find(stop)) >= 0]
    end, stopped_by = min(places, default=(len(text), None))
    return Filled(
        text=text[:end],
        reason=reason,
        stopped_by=stopped_by,
        was_cut=stopped_by is None and completion.stopped_by in _LIMITS,
        completion=completion,
    )
