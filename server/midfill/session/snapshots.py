"""Open documents, as the session knows them: plain values, without the protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from midfill.actions.selection import Selection
from midfill.code.languages import language_of


@dataclass(frozen=True, kw_only=True)
class DocumentSnapshot:
    """One version of an open document."""

    uri: str
    """The name by which the client knows it."""
    path: str
    """Its identity (:mod:`midfill.common.file_identity`); its URI if it is no file."""
    opened_as: str = ""
    """The path by which the client knows it, if that is another one."""
    text: str
    version: int
    """The client's own number for this version."""
    language: str
    """The client's own name of the language."""

    def select(self, lines: tuple[int, int] | None) -> Selection:
        """Select the lines from the first number to before the second one, from 0; None selects all lines."""
        first, end = lines or (0, self.text.count("\n") + 1)
        return Selection(self.text, language_of(self.path, self.language), first, end, self.path)


OpenDocuments = Callable[[], Mapping[str, DocumentSnapshot]]
"""Returns all open documents as they are now, by their URIs."""
