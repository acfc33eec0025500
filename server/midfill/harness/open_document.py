r"""A document as its user sees it: a text and a cursor. Columns are code points (``utf-32``), as in Python's strings.

Inside, lines end with ``\n``; what is sent and saved has the line end that the file has.
"""

from __future__ import annotations

from pathlib import Path

from midfill.client.server_process import Json
from midfill.code.languages import language_of


class OpenDocument:
    """One open document, with the cursor at its end."""

    def __init__(self, path: Path, text: str, language: str = "") -> None:
        self.path = path
        self.language = language or language_of(path).ids[0]
        self._line_end = "\r\n" if "\r\n" in text else "\n"
        self.text = text.replace("\r\n", "\n")
        self.cursor = len(self.text)
        self.version = 0

    @property
    def uri(self) -> str:
        """How the server knows it."""
        return self.path.as_uri()

    def as_file(self, text: str) -> str:
        """Return a text with the file's line ends."""
        return text.replace("\n", self._line_end)

    def position(self, offset: int) -> Json:
        """Return where an offset is, as LSP says it."""
        return {
            "line": self.text.count("\n", 0, offset),
            "character": offset - self.text.rfind("\n", 0, offset) - 1,
        }

    def offset(self, position: Json) -> int:
        """Return the offset of a position; one beyond the text is its end."""
        start = 0
        for _ in range(position["line"]):
            start = self.text.find("\n", start) + 1
            if start == 0:
                return len(self.text)
        return min(start + int(position["character"]), len(self.text))

    def replace(self, start: int, end: int, text: str) -> Json:
        """Put ``text`` in the place of what is there, with the cursor behind it; return that as a change."""
        place = {"start": self.position(start), "end": self.position(end)}
        self.text = self.text[:start] + text + self.text[end:]
        self.cursor = start + len(text)
        self.version += 1
        return {"range": place, "text": self.as_file(text)}
