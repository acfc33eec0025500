"""What reviews found in open documents: each finding stays until its line changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Finding:
    """A line that may be wrong."""

    line: int
    """From 0."""
    text: str
    """What may be wrong with it."""


class Findings:
    """The findings of all open documents, each document by a name of its own, such as its URI."""

    def __init__(self) -> None:
        self._found: dict[str, list[Finding]] = {}
        self._lines: dict[str, list[str]] = {}
        """The documents' lines when the findings were last brought up to date."""

    @property
    def documents(self) -> list[str]:
        """The names of the documents that have findings."""
        return list(self._found)

    def of(self, document: str) -> list[Finding]:
        """Return the findings of a document."""
        return list(self._found.get(document, ()))

    def put(self, document: str, text: str, found: Iterable[Finding]) -> None:
        """Replace the findings of a document, which has this text."""
        self._put(document, text.split("\n"), list(found))

    def forget(self, document: str) -> bool:
        """Drop the findings of a document; return whether there were any."""
        self._lines.pop(document, None)
        return self._found.pop(document, None) is not None

    def changed(self, document: str, text: str) -> bool:
        """Drop the findings of lines that have changed, and move those below them; return whether any changed."""
        known = self._found.get(document)
        if known is None:
            return False
        old, new = self._lines[document], text.split("\n")
        same = _common(old, new)
        below = min(_common(old[::-1], new[::-1]), len(old) - same, len(new) - same)
        kept = [finding for finding in known if finding.line < same]
        moved = [finding for finding in known if finding.line >= max(same, len(old) - below)]
        shift = len(new) - len(old)
        self._put(document, new, [*kept, *(replace(finding, line=finding.line + shift) for finding in moved)])
        return self._found.get(document) != known

    def _put(self, document: str, lines: list[str], found: list[Finding]) -> None:
        self.forget(document)
        if found:
            self._found[document], self._lines[document] = found, lines


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    """Return how many first lines are the same."""
    same = 0
    while same < min(len(left), len(right)) and left[same] == right[same]:
        same += 1
    return same
