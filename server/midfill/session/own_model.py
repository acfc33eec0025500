"""A model that one kind of work has of its own, besides the one that suggests.

It is loaded when that work first needs it. If it cannot be loaded, the model that suggests does the work. Loading is
tried again only once something has changed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from midfill.common.errors import MidfillError
from midfill.common.logs import PublicText
from midfill.inference.token_generator import LanguageModel
from midfill.settings.schema import Settings

_log = logging.getLogger(__name__)

LoadModel = Callable[[Settings, LanguageModel], LanguageModel]
"""Loads the model that settings name for the work; it also gets the model that suggests."""


class OwnModel:
    """The model of one kind of work; for the thread of that work."""

    def __init__(self, work: str, load: LoadModel, tell: Callable[[str], None] = lambda _: None) -> None:
        """Load with ``load`` for ``work``, a plural. ``tell`` gets a line if that fails, on the work's thread."""
        self._work = work
        self._load = load
        self._tell = tell
        self._model: LanguageModel | None = None
        self._refused: object = None
        """What could not be loaded, as it was then."""

    def get(
        self,
        settings: Settings,
        typing: LanguageModel,
        named: Callable[[], object],
        on_loading: Callable[[], None] = lambda: None,
    ) -> LanguageModel | None:
        """Return the model, loaded if need be; None if it cannot be loaded, and ``typing`` has to do the work.

        Args:
            settings: say which model it is.
            typing: the model that suggests.
            named: returns what the settings name, and its state. After a failure, only another value is tried.
            on_loading: called before it is loaded.
        """
        if self._model is None and (wanted := named()) != self._refused:
            on_loading()
            try:
                self._model = self._load(settings, typing)
            except MidfillError as error:
                self._refused = wanted
                line = f"The model for {self._work} cannot be used, the other one serves them: {error}"
                _log.warning("%s", PublicText(line))
                self._tell(line)
        return self._model

    def drop(self) -> None:
        """Unload the model."""
        self._model = None
