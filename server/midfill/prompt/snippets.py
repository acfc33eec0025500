"""What stands in a prompt besides the document itself: plain values, free of the workspace that they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Snippet:
    """Some lines of a file of the workspace, or what they define; without secrets."""

    path: str
    """Relative to its workspace folder, with forward slashes."""
    first_line: int
    last_line: int
    """Counted from 0, both included."""
    text: str
    kind: str
    """``definition``, ``sibling``, ``recent`` or ``similar``."""
    score: float
    """More is better, and comparable between kinds."""


@dataclass(frozen=True)
class WorkspaceSnippets:
    """A document's place in its workspace, and what of the other files matters at its cursor."""

    repository: str = ""
    """The workspace folder's name."""
    path: str = ""
    """The document's, relative to that folder, with forward slashes."""
    comment: str = "#"
    """What begins a comment line in the document's language."""
    snippets: Sequence[Snippet] = ()
    """In an order that changes seldom, for the KV cache's sake."""
