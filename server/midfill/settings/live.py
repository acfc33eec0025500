"""The settings in force. Everybody reads them here when they are needed, and nobody keeps a copy."""

from __future__ import annotations

from collections.abc import Callable

from midfill.settings.schema import Settings

OnChange = Callable[[Settings, Settings], None]
"""Called with the settings before and after a change."""


class LiveSettings:
    """The settings of one client. They are read from any thread and changed on the event loop."""

    def __init__(self, settings: Settings) -> None:
        self._now = settings
        self._listeners: list[OnChange] = []

    @property
    def now(self) -> Settings:
        """The settings in force. Read them once for work that must not see two versions."""
        return self._now

    def on_change(self, listener: OnChange) -> None:
        """Call ``listener`` after each change, after the listeners that were added before it."""
        self._listeners.append(listener)

    def change(self, settings: Settings) -> None:
        """Put other settings in force."""
        before, self._now = self._now, settings
        if settings != before:
            for listener in self._listeners:
                listener(before, settings)
