"""Whether actions may run code: by the setting, or by asking the user."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from midfill.actions.action import Runs
from midfill.common.cancel import CancelFlag
from midfill.common.file_identity import resolve
from midfill.common.file_system import repository_of
from midfill.privacy.ignore_rules import IgnoreRules
from midfill.privacy.write_boundary import folder_around
from midfill.settings.action_settings import ALWAYS, NEVER
from midfill.settings.live import LiveSettings

ONCE = "once"
AskToRun = Callable[[str, CancelFlag], str]
"""Asks the user whether a command, given in words, may be run: ``ONCE``, ``ALWAYS``, ``NEVER``, or "" for no answer."""


class RunPermission:
    """What one client's user has allowed. "Always" and "Never" hold until the client leaves."""

    def __init__(self, settings: LiveSettings, ask: AskToRun | None) -> None:
        """Go by the settings; ``ask`` is None for a client that cannot ask."""
        self._settings = settings
        self._ask = ask
        self._answered = ""

    def runs_around(self, path: str, folders: Sequence[Path]) -> Runs | None:
        """Return what may be run for a document; None for nothing.

        Nothing is run for a document outside the workspace folders and any repository: nobody could say what to copy.

        Args:
            path: the document's path.
            folders: the folders of the workspace.
        """
        setting, document = self._settings.now.run_code, Path(path)
        if setting == NEVER or (setting != ALWAYS and (self._ask is None or self._answered == NEVER)):
            return None
        project = folder_around(document, folders) if document.is_absolute() else None
        if project is None or not (project in map(resolve, folders) or repository_of(project) == project):
            return None
        return Runs(project, IgnoreRules([project], self._settings.now.exclude), self._allowed)

    def _allowed(self, command: str, cancel: CancelFlag) -> bool:
        setting = self._settings.now.run_code  # it may have changed meanwhile
        if setting in (ALWAYS, NEVER):
            return setting == ALWAYS
        if self._answered:
            return self._answered == ALWAYS
        answer = self._ask(command, cancel) if self._ask else NEVER
        self._answered = answer if answer in (ALWAYS, NEVER) else self._answered
        return answer in (ONCE, ALWAYS)
