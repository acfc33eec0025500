"""Text of other files that a client sends with its request, as snippets for the prompt."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from midfill.code.languages import language_of
from midfill.privacy.ignore_rules import IgnoreRules
from midfill.privacy.secrets import redact
from midfill.prompt.snippets import Snippet, WorkspaceSnippets
from midfill.retrieval.service import Workspace


@dataclass(frozen=True)
class GivenFile:
    """A part of a file; which lines it has is not known."""

    name: str
    text: str


class GivenFiles:
    """Answers the pipeline's questions about other files: a :class:`midfill.completion.engine.WorkspaceRetrieval`.

    The newest file is the last one, and counts most. Ignore rules decide by a file's name: an absolute path by those of
    its own repository, and another one only by the built-in patterns and the setting ``exclude``.
    """

    def __init__(self, exclude: Sequence[str]) -> None:
        """Use no file that ``exclude`` names, in gitignore's syntax."""
        self._names = IgnoreRules((), exclude)
        self._paths = Workspace((), exclude, indexed=False)
        self.files: Sequence[GivenFile] = ()
        """The files of the request that is answered now."""

    def excludes(self, path: str) -> bool:
        """Return whether ignore rules exclude a file."""
        if os.path.isabs(path):
            return self._paths.excludes(path)
        return bool(path) and not self._names.allows_name(PurePath(path.replace("\\", "/")))

    def snippets_at(
        self, path: str, text: str, offset: int, language: str, budget: int, window: int, opened_as: str = ""
    ) -> WorkspaceSnippets:
        """Return the newest files that have at most ``budget`` characters together."""
        del text, offset, window, opened_as  # the client has chosen already
        snippets: list[Snippet] = []
        for number in range(len(self.files) - 1, -1, -1):
            file = self.files[number]
            budget -= len(file.text)
            if budget < 0:
                break
            if file.text.strip() and not self.excludes(file.name):
                snippets.append(_snippet(file, number))
        return WorkspaceSnippets(
            path=PurePath(path).name,
            comment=language_of(path, language).line_comment or "#",
            snippets=snippets[::-1],
        )

    def forget(self, path: str) -> None:
        """Forget nothing: nothing is kept of a request."""

    def close(self) -> None:
        """Stop everything."""
        self._paths.close()


def _snippet(file: GivenFile, number: int) -> Snippet:
    text = redact(file.text).text.replace("\r\n", "\n").strip("\n")
    return Snippet(file.name, 0, text.count("\n"), text, "recent", float(number))
