"""The folders somebody works in, in one object: what may contribute, and what of it matters at a cursor."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from midfill.code.languages import language_of
from midfill.privacy.ignore import Ignore, repository_of
from midfill.prompt.snippets import WorkspaceSnippets
from midfill.retrieval.index import IndexState, OnProgress, WorkspaceIndex
from midfill.retrieval.ranking import SnippetRanking

_FIRST_WAIT = 0.25
"""Seconds to wait for the index in a document that nothing was gathered for yet: a prompt without other files would
have to be computed anew at the next keystroke."""
_WAIT = 0.025


class Workspace:
    """Indexed in the background from its making on, until it is closed.

    :meth:`snippets_at`, :meth:`excludes` and :meth:`forget` are for one thread, the others for any.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        exclude: Sequence[str] = (),
        on_progress: OnProgress = lambda _: None,
        *,
        indexed: bool = True,
    ) -> None:
        """Take in ``folders`` but for what ``exclude`` names in gitignore's syntax.

        ``on_progress`` is called from another thread. What is not ``indexed`` contributes only where it is open.
        """
        self._exclude = tuple(exclude)
        self._on_progress = on_progress
        self._built = threading.Event()
        self._ignore = Ignore(folders, exclude)
        self.index = WorkspaceIndex(folders if indexed else (), exclude, self._progress)
        if self.index.state.done:
            self._built.set()
        self._neighbours = SnippetRanking(self._ignore, self.index)
        self._seen: set[str] = set()
        self._elsewhere: Callable[[Path], Ignore] = lru_cache(16)(lambda folder: Ignore([folder], self._exclude))

    def excludes(self, path: str) -> bool:
        """Say whether a document may not be read by the model.

        The ignore rules of its workspace folder decide, or of the repository that it is in when it is elsewhere.
        """
        here = Path(path)
        if not here.is_absolute():
            return False
        if self._ignore.folder_of(here) is not None:
            return not self._ignore.allows(here)
        folder = repository_of(here.parent) or here.parent
        return not self._elsewhere(folder).allows(here)

    def snippets_at(
        self, path: str, text: str, offset: int, language: str, budget: int, window: int
    ) -> WorkspaceSnippets:
        """Return what the model may be shown besides the document; see :meth:`.neighbours.SnippetRanking.snippets`.

        Args:
            path: The document's.
            text: All of it, with plain newlines.
            offset: The cursor's, in characters.
            language: The LSP language id, "" to go by the path.
            budget: Most characters of all snippets together.
            window: Characters round the cursor that the prompt has in any case.
        """
        here = Path(path)
        folder = self._ignore.folder_of(here)
        wait = _WAIT if path in self._seen else _FIRST_WAIT
        self._seen.add(path)
        return WorkspaceSnippets(
            repository=folder.name if folder else "",
            path=here.relative_to(folder).as_posix() if folder and here.is_relative_to(folder) else here.name,
            comment=language_of(path, language).line_comment or "#",
            snippets=self._neighbours.snippets(
                here, text, offset, language=language, budget=budget, window=window, wait=wait
            ),
        )

    def visited(self, path: str, text: str, offset: int) -> None:
        """Remember what somebody edited or looked at, if it may contribute."""
        self._neighbours.visited(Path(path), text, offset)

    def changed(self, paths: Iterable[str]) -> None:
        """Tell of files that were made, changed or deleted."""
        places = [Path(path) for path in paths]
        self.index.changed(places)
        for place in places:
            if not place.exists():
                self._neighbours.forget(place)

    def forget(self, path: str) -> None:
        """Forget what was gathered for a document, which is closed; what was seen in it stays."""
        self._seen.discard(path)

    def wait_until_built(self, seconds: float) -> bool:
        """Wait until everything is indexed; False if it takes longer."""
        return self._built.wait(seconds)

    def close(self) -> None:
        """End the index."""
        self.index.close()

    def _progress(self, state: IndexState) -> None:
        if state.done:
            self._built.set()
        self._on_progress(state)
