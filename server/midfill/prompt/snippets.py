"""The parts of other files in a prompt, as plain values that do not depend on the workspace they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Snippet:
    """Some lines of a file in the workspace, or a summary of what they define, without secrets."""

    path: str
    """The file's path, relative to its workspace folder, with forward slashes."""
    first_line: int
    last_line: int
    """First and last line in the file, from 0, both included."""
    text: str
    kind: str
    """``definition``, ``sibling``, ``recent`` or ``similar``; for an action also ``caller`` or ``test``."""
    score: float
    """The relevance. Higher is better, and scores of different kinds can be compared."""


@dataclass(frozen=True)
class WorkspaceSnippets:
    """A document's place in its workspace, and the snippets of other files that are relevant at the cursor."""

    repository: str = ""
    """The name of the workspace folder."""
    path: str = ""
    """The document's path, relative to that folder, with forward slashes."""
    comment: str = "#"
    """The text that begins a comment line in the document's language."""
    snippets: Sequence[Snippet] = ()
    """The snippets, in an order that seldom changes, so that the KV cache can be reused."""
