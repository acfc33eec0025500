r"""A document in the harness's editor: a text and a cursor.

Columns count code points (``utf-32``), as the indices of Python's strings do. In ``text``, lines end with ``\n``; the
server and the file get the line ends of the file.
"""

from __future__ import annotations

from pathlib import Path

from midfill.client.framing import Json
from midfill.code.languages import language_of


class OpenDocument:
    """An open document. The cursor is at its end at first."""

    def __init__(self, path: Path, text: str, language: str = "") -> None:
        self.path = path
        self.language = language or language_of(path).ids[0]
        self._line_end = "\r\n" if "\r\n" in text else "\n"
        self.text = text.replace("\r\n", "\n")
        self.cursor = len(self.text)
        self.version = 0

    @property
    def uri(self) -> str:
        """The document's URI in the protocol."""
        return self.path.as_uri()

    def as_file(self, text: str) -> str:
        """Return ``text`` with the line ends of the file."""
        return text.replace("\n", self._line_end)

    def position(self, offset: int) -> Json:
        """Return the LSP position of an offset."""
        return {
            "line": self.text.count("\n", 0, offset),
            "character": offset - self.text.rfind("\n", 0, offset) - 1,
        }

    def offset(self, position: Json) -> int:
        """Return the offset of an LSP position; the end of the text if the position is beyond it."""
        start = 0
        for _ in range(position["line"]):
            start = self.text.find("\n", start) + 1
            if start == 0:
                return len(self.text)
        return min(start + int(position["character"]), len(self.text))

    def replace(self, start: int, end: int, text: str) -> Json:
        """Replace the text from ``start`` to ``end``, and put the cursor after the new text; return LSP's change."""
        place = {"start": self.position(start), "end": self.position(end)}
        self.text = self.text[:start] + text + self.text[end:]
        self.cursor = start + len(text)
        self.version += 1
        return {"range": place, "text": self.as_file(text)}
