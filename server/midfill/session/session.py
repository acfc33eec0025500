"""What one client works with: its settings, its workspace, its engine, and a record of what became of requests.

Free of the protocol: paths and offsets go in, suggestions come out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path

from midfill.actions import Perform, perform
from midfill.common.file_identity import entries_and_files
from midfill.common.file_system import is_within, relative_path
from midfill.completion.scheduler import Scheduler, new_scheduler
from midfill.completion.types import Request
from midfill.inference.token_generator import OnLoading
from midfill.next_edit.new_diagnostics import Diagnostic
from midfill.next_edit.types import TextEdit
from midfill.outcomes import explain
from midfill.outcomes.acceptance import AcceptanceTracker, CurrentText
from midfill.outcomes.calibration import calibrated, shift
from midfill.outcomes.counters import Counters, by_confidence
from midfill.outcomes.edit_acceptance import EditAcceptance
from midfill.outcomes.edit_verdicts import add_edit
from midfill.outcomes.journal import Entry, Journal, journal_file
from midfill.privacy.ignore_rules import IGNORE_FILES
from midfill.privacy.write_boundary import may_change
from midfill.retrieval.index import OnProgress
from midfill.retrieval.service import Workspace
from midfill.session.action_runner import ActionRunner
from midfill.session.action_service import ActionService
from midfill.session.edit_runner import EditRunner
from midfill.session.edit_service import EditService, Offer
from midfill.session.run_permission import AskToRun, RunPermission
from midfill.session.snapshots import OpenDocuments
from midfill.settings.live import LiveSettings
from midfill.settings.schema import Settings
from midfill.settings.sources import SettingsSources

SchedulerFactory = Callable[[LiveSettings], Scheduler]

_VISIT_SECONDS = 3.0
"""How often the place where a document is edited is noted, as context for other documents."""


class Session:
    """One client, from `initialize` until it leaves; for use on one event loop."""

    def __init__(
        self,
        folders: Sequence[Path],
        options: object,
        current_text: CurrentText,
        *,
        make_scheduler: SchedulerFactory = new_scheduler,
        perform: Perform = perform,
        open_documents: OpenDocuments = dict,
        on_index_progress: OnProgress = lambda _: None,
        tell: Callable[[str], None] = lambda _: None,
        ask_to_run: AskToRun | None = None,
    ) -> None:
        """Read the settings. Nothing is loaded or indexed before :meth:`begin`.

        Args:
            folders: the folders of the workspace.
            options: the client's `initializationOptions`.
            current_text: returns the text of an open document by its path.
            make_scheduler: makes what schedules the requests, with an engine of its own.
            perform: does an action.
            open_documents: returns all open documents, for actions.
            on_index_progress: called with the progress of the workspace's index, from another thread.
            tell: called with one line that the user should see.
            ask_to_run: asks whether a command may be run, from another thread; None for a client that cannot ask.
        """
        self._on_index_progress = on_index_progress
        self._sources = SettingsSources(folders)
        settings, self.problems = self._sources.options(options)
        self.settings = LiveSettings(_calibrated(settings))
        self.scheduler = make_scheduler(self.settings)
        permission = RunPermission(self.settings, ask_to_run)
        self._action_runner = ActionRunner(
            self.scheduler,
            self.settings,
            perform=perform,
            project=lambda: self._workspace,
            runs=lambda path: permission.runs_around(path, self._sources.folders),
        )
        self.actions = ActionService(self._action_runner, open_documents, self._may_change)
        self._counters = Counters()
        self._acceptance = AcceptanceTracker(self._counters, current_text)
        self._journal = Journal(journal_file() if settings.journal else None)
        self._ghost_texts: dict[str, TextEdit] = {}
        self.edits = EditService(
            EditRunner(self.scheduler, self.settings, self._name_of, tell=tell),
            self.settings,
            open_documents,
            EditAcceptance(self._counters, current_text),
            self._ghost_texts.get,
        )
        self._workspace: Workspace | None = None
        self._visited: dict[str, float] = {}
        self.settings.on_change(self._settings_changed)

    def begin(self) -> None:
        """Begin to index the workspace."""
        self._open_workspace()

    def load(self, on_loading: OnLoading) -> Future[None] | None:
        """Load the model if it is not loaded yet or was unloaded; None if it is there or on its way."""
        return self.scheduler.start(on_loading) if self.scheduler.state == "idle" else None

    async def complete(self, request: Request) -> Entry:
        """Return a suggestion or the reason for none, as an entry of the journal.

        Raises:
            asyncio.CancelledError: the caller was cancelled.
        """
        completion = await self.scheduler.complete(request)
        self._ghost_texts[request.path] = TextEdit(completion.start, completion.end, completion.text)
        entry = self._journal.add(request, completion)
        self._acceptance.answered(entry.verdict.number, request, completion)
        return entry

    async def next_edit(
        self, uri: str, line: int, column: int, diagnostics: Sequence[Diagnostic] = (), *, invoked: bool = False
    ) -> Offer:
        """Return the next edit, or the reason why there is none; see :meth:`EditService.predict`.

        Raises:
            KeyError: the document is not open.
            asyncio.CancelledError: the caller was cancelled.
        """
        offer = await self.edits.predict(uri, line, column, diagnostics, invoked=invoked)
        add_edit(self._journal, offer.text, offer.predicted)
        return offer

    def expect(self, request: Request, *, visit: bool = False) -> None:
        """Expect a request at a place that was opened or edited; ``visit`` notes the place for other documents."""
        self.scheduler.prepare(request)
        now = time.monotonic()
        if visit or now - self._visited.get(request.path, 0.0) > _VISIT_SECONDS:
            self._visited[request.path] = now
            if self._workspace is not None:
                self._workspace.visited(request.path, request.text, request.offset, request.opened_as)

    def inserted(self, path: str, start: int, text: str) -> None:
        """Note an edit. It may be a suggestion that was accepted."""
        self._acceptance.inserted(path, start, text)

    def accepted(self, number: int, length: int) -> None:
        """Note that the client accepted the last ``length`` characters of a suggestion."""
        self._acceptance.accepted(number, length)

    def partly_accepted(self, number: int, length: int) -> None:
        """Note that the client accepted the first ``length`` characters of a suggestion."""
        self._acceptance.partly_accepted(number, length)

    def closed(self, path: str) -> None:
        """Forget what was gathered for a document, because it was closed."""
        self._visited.pop(path, None)
        self._ghost_texts.pop(path, None)
        self.edits.closed(path)
        self.scheduler.forget(path)

    def files_changed(self, paths: Iterable[str]) -> list[str]:
        """Note files that were made, changed or deleted; return new problems with the settings, one line each."""
        changed = entries_and_files(paths)
        if self._workspace is not None:
            self._workspace.changed(changed)
            # An earlier suggestion may be excluded now
            if any(Path(path).name.lower() in IGNORE_FILES for path in changed):
                self.scheduler.work_in(self._workspace)
        return self._apply(*self._sources.reload()) if self._sources.has_any_of(changed) else []

    def settings_changed(self, settings: object) -> list[str]:
        """Take the settings that the client's user has changed; return problems with them, one line each."""
        return self._apply(*self._sources.changed(settings))

    def folders_changed(self, folders: Sequence[Path]) -> list[str]:
        """Work in other folders; return new problems with the settings, one line each."""
        self._sources.folders = tuple(folders)
        problems = self._apply(*self._sources.reload())
        self._open_workspace()
        return problems

    def why(self, last: int = 1) -> str:
        """Return a Markdown page about the last requests, with the exact prompts, and about the last action."""
        entries = list(self._journal.entries)[-last:]
        pages = [explain.to_markdown(entry, self.scheduler.spell) for entry in reversed(entries)]
        return "\n".join(filter(None, (*pages, self.actions.why()))) or "Nothing was asked for yet."

    def save_statistics(self) -> None:
        """Write the counts so far to disk."""
        self._counters.save()

    def close(self) -> None:
        """Stop everything. The counts are saved first, because the process may be ended while it waits for a thread."""
        self._counters.save()
        self._action_runner.close()
        self.edits.close()
        if self._workspace is not None:
            self._workspace.close()
        self.scheduler.close()

    def _name_of(self, path: str) -> str:
        """Return the path of a file within its folder of the workspace, for a prompt."""
        file = Path(path)
        folder = next((folder for folder in self._sources.folders if is_within(file, folder)), file.parent)
        return relative_path(file, folder)

    def _may_change(self, document: Path, file: Path) -> bool:
        return may_change(file, document, self._sources.folders, self.settings.now.exclude)

    def _apply(self, settings: Settings, problems: list[str]) -> list[str]:
        self.settings.change(_calibrated(settings))
        return problems

    def _settings_changed(self, before: Settings, now: Settings) -> None:
        self._journal.file = journal_file() if now.journal else None
        if _workspace_settings(before) != _workspace_settings(now):
            self._open_workspace()

    def _open_workspace(self) -> None:
        before, now = self._workspace, self.settings.now
        self._workspace = Workspace(
            self._sources.folders,
            now.exclude,
            self._on_index_progress,
            indexed=now.workspace_tokens > 0,
            shared=now.share_engine,
        )
        self.scheduler.work_in(self._workspace)
        if before is not None:
            before.close()


def _workspace_settings(settings: Settings) -> object:
    """Return what a workspace is opened with."""
    return settings.exclude, settings.workspace_tokens > 0, settings.share_engine


def _calibrated(settings: Settings) -> Settings:
    """Return the settings with ``minConfidence`` moved to what the acceptance on this machine says it means."""
    return calibrated(settings, shift(by_confidence())) if settings.calibrate_confidence else settings
