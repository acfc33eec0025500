"""What one client works with: its settings, its workspace, the completer, and a record of what became of it all.

Free of the protocol: paths and offsets go in, suggestions come out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path

from midfill.completion.completer import Completer
from midfill.completion.engine import OnLoading
from midfill.completion.types import Request
from midfill.outcomes import explain
from midfill.outcomes.acceptance import AcceptanceTracker, CurrentText
from midfill.outcomes.calibration import calibrated, shift
from midfill.outcomes.counters import Counters, by_confidence
from midfill.outcomes.journal import Entry, Journal, journal_file
from midfill.privacy.ignore import IGNORE_FILES
from midfill.retrieval.index import OnProgress
from midfill.retrieval.service import Workspace
from midfill.session.action_runner import ActionRunner
from midfill.session.action_service import ActionService
from midfill.session.snapshots import OpenDocuments
from midfill.settings.schema import Settings, needs_reload
from midfill.settings.sources import SettingsSources

CompleterFactory = Callable[[Settings], Completer]

_VISIT_SECONDS = 3.0
"""How often a document that is being edited is looked at, to be shown to others."""


class Session:
    """For use on one event loop, from `initialize` until the client leaves."""

    def __init__(
        self,
        make_completer: CompleterFactory,
        folders: Sequence[Path],
        options: object,
        current_text: CurrentText,
        on_index_progress: OnProgress = lambda _: None,
        open_documents: OpenDocuments = dict,
    ) -> None:
        """Read the settings; nothing is loaded or indexed before :meth:`begin`.

        Args:
            make_completer: makes a completer for settings, and another one when they need that.
            folders: the workspace's.
            options: the client's `initializationOptions`.
            current_text: an open document's text, by its path.
            on_index_progress: told how far the workspace's index is, from another thread.
            open_documents: all open documents, for actions.
        """
        self._make_completer = make_completer
        self._on_index_progress = on_index_progress
        self._configuration = SettingsSources(folders)
        self.settings, self.problems = self._configuration.options(options)
        self.completer = make_completer(_calibrated(self.settings))
        self._action_runner = ActionRunner(self.completer, self.settings)
        self.actions = ActionService(self._action_runner, open_documents)
        self._statistics = Counters()
        self._feedback = AcceptanceTracker(self._statistics, current_text)
        self._journal = Journal(journal_file() if self.settings.journal else None)
        self._workspace: Workspace | None = None
        self._visited: dict[str, float] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def begin(self) -> None:
        """Begin to index the workspace."""
        self._open_workspace()

    def load(self, progress: OnLoading) -> Future[None] | None:
        """Load the model if it is not there or let go; None when that is done or under way."""
        return self.completer.start(progress) if self.completer.state == "idle" else None

    async def complete(self, request: Request) -> Entry:
        """Suggest, or say why not.

        Raises:
            asyncio.CancelledError: the caller was cancelled.
        """
        completion = await self.completer.complete(request)
        entry = self._journal.add(request, completion)
        self._feedback.answered(entry.verdict.number, request, completion)
        return entry

    def expect(self, request: Request, *, visit: bool = False) -> None:
        """Expect a request at a place that was opened or edited; ``visit`` it, to show it to other documents."""
        self.completer.prepare(request)
        now = time.monotonic()
        if visit or now - self._visited.get(request.path, 0.0) > _VISIT_SECONDS:
            self._visited[request.path] = now
            if self._workspace is not None:
                self._workspace.visited(request.path, request.text, request.offset)

    def inserted(self, path: str, start: int, text: str) -> None:
        """Take note of an edit: it may be a suggestion that was accepted."""
        self._feedback.inserted(path, start, text)

    def accepted(self, number: int, length: int) -> None:
        """Take note that the client accepted so many characters of a suggestion, the last ones."""
        self._feedback.accepted(number, length)

    def partly_accepted(self, number: int, length: int) -> None:
        """Take note that the client accepted so many characters of a suggestion, the first ones."""
        self._feedback.partly_accepted(number, length)

    def closed(self, path: str) -> None:
        """Use what was read of a document no more."""
        self._visited.pop(path, None)
        self.completer.forget(path)

    def files_changed(self, paths: Iterable[str]) -> list[str]:
        """Take note of files made, changed or deleted; return problems of settings that come of it."""
        changed = list(paths)
        if self._workspace is not None:
            self._workspace.changed(changed)
            if any(Path(path).name in IGNORE_FILES for path in changed):  # what was suggested may be excluded now
                self.completer.work_in(self._workspace)
        ours = {str(file) for file in self._configuration.files}
        return self._apply(*self._configuration.reload()) if ours & set(changed) else []

    def settings_changed(self, settings: object) -> list[str]:
        """Take what the client's user has set anew; return what is wrong with it, one line each."""
        return self._apply(*self._configuration.changed(settings))

    def folders_changed(self, folders: Sequence[Path]) -> list[str]:
        """Work in other folders; return problems of settings that come of it."""
        self._configuration.folders = tuple(folders)
        problems = self._apply(*self._configuration.reload())
        self._open_workspace()
        return problems

    def why(self, last: int = 1) -> str:
        """Return a Markdown page about the last requests, with the exact prompts."""
        entries = list(self._journal.entries)[-last:]
        if not entries:
            return "Nothing was asked for yet."
        return "\n".join(explain.to_markdown(entry, self.completer.spell) for entry in reversed(entries))

    def save_statistics(self) -> None:
        """Write what is counted so far."""
        self._statistics.save()

    def close(self) -> None:
        """Stop everything."""
        self._action_runner.close()
        if self._workspace is not None:
            self._workspace.close()
        self.completer.close()
        self._statistics.save()

    def _apply(self, settings: Settings, problems: list[str]) -> list[str]:
        old, self.settings = self.settings, settings
        if needs_reload(old, settings):
            before, self.completer = self.completer, self._make_completer(_calibrated(settings))
            self.completer.work_in(self._workspace)
            closing = asyncio.create_task(asyncio.to_thread(before.close))  # a step, or a load, is waited for
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
        elif settings != old:
            self.completer.configure(_calibrated(settings))
        self._action_runner.use(self.completer, settings)
        self._journal.file = journal_file() if settings.journal else None
        if (old.exclude, old.workspace_tokens > 0) != (settings.exclude, settings.workspace_tokens > 0):
            self._open_workspace()
        return problems

    def _open_workspace(self) -> None:
        before = self._workspace
        self._workspace = Workspace(
            self._configuration.folders,
            self.settings.exclude,
            self._on_index_progress,
            indexed=self.settings.workspace_tokens > 0,
        )
        self.completer.work_in(self._workspace)
        if before is not None:
            before.close()


def _calibrated(settings: Settings) -> Settings:
    """Return the settings to complete by: with the gate where acceptance on this machine puts it."""
    return calibrated(settings, shift(by_confidence())) if settings.calibrate_confidence else settings
