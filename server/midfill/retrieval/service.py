"""The workspace as one object: which documents may be used, and which snippets are useful at a cursor."""

from __future__ import annotations

import concurrent.futures
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from midfill.code.languages import language_of
from midfill.common.file_identity import resolve
from midfill.common.file_system import relative_path, repository_of
from midfill.common.file_uri import MAX_PATH_CHARACTERS, paths_in
from midfill.privacy.ignore_rules import IgnoreRules
from midfill.prompt.snippets import Snippet, WorkspaceSnippets
from midfill.retrieval.index import IndexState, OnProgress, WorkspaceIndex
from midfill.retrieval.lookup import LookupRequest
from midfill.retrieval.ranking import SnippetRanking, snippet_of
from midfill.retrieval.redacted_files import read_redacted_text

_FIRST_WAIT_SECONDS = 0.25
"""Maximum time to wait for the index at a document's first request. A prompt without snippets would have to be
computed again at the next keystroke."""
_WAIT_SECONDS = 0.025
"""Maximum time to wait for the index at a later request."""

_ACTION_WAIT_SECONDS = 2.0
"""Maximum time that an action waits for the index. Its prompt takes longer to compute."""


class Workspace:
    """Starts to index itself in the background when it is created, and runs until it is closed.

    Only one thread may call :meth:`snippets_at`, :meth:`excludes` and :meth:`forget`; any thread may call the others.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        exclude: Sequence[str] = (),
        on_progress: OnProgress = lambda _: None,
        *,
        indexed: bool = True,
        shared: bool = False,
    ) -> None:
        """Use ``folders`` without the files that ``exclude`` names, in gitignore's syntax.

        ``on_progress`` is called from another thread. Without ``indexed``, only open documents give snippets.
        With ``shared``, servers of the same workspace share its index.
        """
        self._exclude = tuple(exclude)
        self._on_progress = on_progress
        self._built = threading.Event()
        self._ignore_rules = IgnoreRules(folders, exclude)
        self.index = WorkspaceIndex(folders if indexed else (), exclude, self._progress, shared=shared)
        if self.index.state.done:
            self._built.set()
        self._ranking = SnippetRanking(self._ignore_rules, self.index)
        self._requested: set[str] = set()
        self._rules_outside: Callable[[Path], IgnoreRules] = lru_cache(16)(
            lambda folder: IgnoreRules([folder], self._exclude)
        )
        self._by_link: Callable[[str], tuple[Path, str] | None] = lru_cache(16)(self._find_by_link)

    def excludes(self, path: str) -> bool:
        """Return whether ignore rules exclude a document from prompts.

        For a document outside the workspace, the ignore rules of its own repository decide. A document that is no file
        is excluded as a file at the path in its URI would be.

        Args:
            path: The path by which the document is known, or its URI.
        """
        documents = [Path(path)] if os.path.isabs(path) else map(Path, paths_in(path))
        return any(map(self._excludes, documents))

    def _excludes(self, document: Path) -> bool:
        if len(str(document)) > MAX_PATH_CHARACTERS:
            return True
        if not document.is_absolute():
            return not self._ignore_rules.allows_name(document)
        if self._ignore_rules.folder_of(document) is not None:
            return not self._ignore_rules.allows(document)
        folder = repository_of(document.parent) or document.parent
        return not self._rules_outside(folder).allows(document)

    def snippets_at(
        self, path: str, text: str, offset: int, language: str, budget: int, window: int, opened_as: str = ""
    ) -> WorkspaceSnippets:
        r"""Return the snippets for a prompt; see :meth:`midfill.retrieval.ranking.SnippetRanking.snippets`.

        Args:
            path: The document's path.
            text: The whole document, with "\n" as line ending.
            offset: The cursor's offset in characters.
            language: The LSP language id; "" to use the path.
            budget: Maximum number of characters of all snippets together.
            window: Number of characters around the cursor that the prompt contains anyway.
            opened_as: The path by which the document was opened, if that is another one.
        """
        document = Path(path)
        folder = self._ignore_rules.folder_of(document)
        by_link = None if folder else self._by_link(opened_as)
        folder, name = by_link or (folder, relative_path(document, folder))
        wait = _WAIT_SECONDS if path in self._requested else _FIRST_WAIT_SECONDS
        self._requested.add(path)
        return WorkspaceSnippets(
            repository=folder.name if folder else "",
            path=name,
            comment=language_of(path, language).line_comment or "#",
            snippets=self._ranking.snippets(
                document, text, offset, language=language, budget=budget, window=window, wait=wait
            ),
        )

    def related(self, path: str, text: str, line: int, language: str, name: str) -> list[Snippet]:
        r"""Return what an action should see of other files, the best first; any thread may call this.

        Args:
            path: The document's path.
            text: The whole document, without secrets, with "\n" as line ending.
            line: The first line that the action works on.
            language: The LSP language id; "" to use the path.
            name: The definition whose callers and tests matter; "" for none.
        """
        whole = (0, text.count("\n") + 1)
        request = LookupRequest(path, language, text, line, whole)
        answer = self.index.look_around(request, name)
        concurrent.futures.wait([answer], timeout=_ACTION_WAIT_SECONDS)
        found = answer.result() if not answer.cancel() else []
        return [snippet_of(c, self._ignore_rules) for c in found if c.path != path]

    def allows(self, path: Path) -> bool:
        """Return whether a file of the workspace may be read for a prompt; any thread may call this."""
        return self._ignore_rules.allows(path)

    def read(self, path: Path) -> str | None:
        """Return a file's text without secrets; None if it may not or cannot be read. Any thread may call this."""
        return read_redacted_text(path) if self.allows(path) else None

    def _find_by_link(self, opened_as: str) -> tuple[Path, str] | None:
        """Return the workspace folder, and the path in it, of a link under which a file outside was opened.

        The link leads to the file, or to a folder above it. None if it is not in the workspace either.
        """
        opened = Path(opened_as)
        for above in reversed(opened.parents):
            inside = resolve(above)
            folder = self._ignore_rules.folder_of(inside)
            if folder is not None:
                return folder, relative_path(inside / opened.relative_to(above), folder)
        return None

    def visited(self, path: str, text: str, offset: int, opened_as: str = "") -> None:
        """Remember the lines that the user edited or looked at, unless the file is excluded, also by another path.

        A document that is no file is in no other document's prompt.
        """
        if os.path.isabs(path) and (not opened_as or self._ignore_rules.allows(Path(opened_as))):
            self._ranking.visited(Path(path), text, offset)

    def changed(self, paths: Iterable[str]) -> None:
        """Report files that were created, changed or deleted."""
        files = [Path(path) for path in paths]
        self.index.changed(files)
        for file in files:
            if not os.path.exists(file):  # Path.exists() would raise an error for a name that is too long
                self._ranking.forget(file)

    def forget(self, path: str) -> None:
        """Report that a document was closed. Its recent edits are kept."""
        self._requested.discard(path)

    def wait_until_built(self, seconds: float) -> bool:
        """Wait until all files are indexed; return False when that takes more than ``seconds``."""
        return self._built.wait(seconds)

    def close(self) -> None:
        """End the index's process."""
        self.index.close()

    def _progress(self, state: IndexState) -> None:
        if state.done:
            self._built.set()
        self._on_progress(state)
