"""What an action is told of the project that its document is in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from midfill.actions.conventions import Conventions, conventions_around
from midfill.actions.selection import Selection
from midfill.privacy.secrets import redact
from midfill.prompt.snippets import Snippet
from midfill.retrieval.service import Workspace


@dataclass(frozen=True, kw_only=True)
class FromProject:
    """Code of other files and conventions, without secrets."""

    snippets: tuple[Snippet, ...] = ()
    """The best first."""
    max_tokens: int = 0
    """Maximum number of tokens of the snippets together."""
    conventions: Conventions = field(default_factory=Conventions)


Look = Callable[[Selection], FromProject]
"""Looks around in the project of some lines."""


def no_project(_: Selection) -> FromProject:
    """Tell nothing: the document is alone."""
    return FromProject()


def look_into(workspace: Workspace, max_tokens: int, open_text: Callable[[str], str | None]) -> Look:
    """Return what looks around in a workspace, for any one thread.

    Args:
        workspace: has the index, and knows what is excluded.
        max_tokens: maximum number of tokens of other files.
        open_text: returns the text of an open file by its path. It counts rather than the text on disk.
    """

    def read(path: Path) -> str | None:
        if not workspace.allows(path):
            return None
        text = open_text(str(path))
        return workspace.read(path) if text is None else redact(text).text

    def look(selection: Selection) -> FromProject:
        definition = selection.definition
        language = next(iter(selection.language.ids), "")
        line = definition.first_line if definition and selection.lines else selection.first_line
        name = definition.name if definition and not definition.name.startswith("__") else ""
        snippets = workspace.related(selection.path, selection.redacted, line, language, name)
        return FromProject(
            snippets=tuple(snippets), max_tokens=max_tokens, conventions=conventions_around(selection, read)
        )

    return look
