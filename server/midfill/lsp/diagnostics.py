"""What reviews found in open documents, as diagnostics: each stays until the lines it concerns change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from lsprotocol import types

from midfill.actions import Finding
from midfill.lsp.text_document import Document

SOURCE = "midfill"


class Findings:
    """The findings of all documents; lines count from 0."""

    def __init__(self) -> None:
        self._found: dict[str, list[Finding]] = {}
        self._lines: dict[str, list[str]] = {}
        """Of the documents, as they were when it was last looked."""

    @property
    def documents(self) -> list[str]:
        """The URIs of documents in which there is anything."""
        return list(self._found)

    def put(self, uri: str, document: Document, found: Iterable[Finding]) -> None:
        """Have these in place of what was found in a document before."""
        self._put(uri, document.text.split("\n"), list(found))

    def forget(self, uri: str) -> bool:
        """Drop what was found in a document; say whether that was anything."""
        self._lines.pop(uri, None)
        return self._found.pop(uri, None) is not None

    def changed(self, uri: str, document: Document) -> bool:
        """Drop what concerns lines that have changed, and move what is below them; say whether that was anything."""
        known = self._found.get(uri)
        if known is None:
            return False
        old, new = self._lines[uri], document.text.split("\n")
        same = _common(old, new)
        below = min(_common(old[::-1], new[::-1]), len(old) - same, len(new) - same)
        kept = [finding for finding in known if finding.line < same]
        moved = [f for f in known if f.line >= max(same, len(old) - below)]
        self._put(uri, new, [*kept, *(replace(f, line=f.line + len(new) - len(old)) for f in moved)])
        return self._found.get(uri) != known

    def diagnostics(self, uri: str, document: Document) -> list[types.Diagnostic]:
        """Return what is known of a document, each over its line."""
        lines = document.text.split("\n")
        start = [0]
        for line in lines:
            start.append(start[-1] + len(line) + 1)
        return [
            types.Diagnostic(
                range=document.range_between(
                    start[f.line] + len(lines[f.line]) - len(lines[f.line].lstrip()),
                    start[f.line] + len(lines[f.line].rstrip()),
                ),
                message=f.text,
                severity=types.DiagnosticSeverity.Hint,
                source=SOURCE,
                code="review",
            )
            for f in self._found.get(uri, ())
            if f.line < len(lines)
        ]

    def _put(self, uri: str, lines: list[str], found: list[Finding]) -> None:
        self.forget(uri)
        if found:
            self._found[uri], self._lines[uri] = found, lines


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    """Return how many first lines are the same."""
    same = 0
    while same < min(len(left), len(right)) and left[same] == right[same]:
        same += 1
    return same
