r"""A document as its user sees it: a plain string and a cursor, to hold the server's idea of it against.

Nothing here is the server's: positions are counted anew. Inside, lines end with ``\n``; what is sent has the line end
that the file has.
"""

from __future__ import annotations

import re
from typing import Any

Json = dict[str, Any]

_UNITS = {
    "utf-8": lambda text: len(text.encode()),
    "utf-16": lambda text: len(text.encode("utf-16-le")) // 2,
    "utf-32": len,
}


class PlainText:
    """One document, as it is now."""

    def __init__(self, text: str, encoding: str) -> None:
        self._line_end = "\r\n" if "\r\n" in text else "\n"
        self._units = _UNITS[encoding]
        self.text = text.replace("\r\n", "\n")
        self.cursor = len(self.text)

    @property
    def before(self) -> str:
        """What stands left of the cursor."""
        return self.text[: self.cursor]

    @property
    def after(self) -> str:
        """What stands right of the cursor."""
        return self.text[self.cursor :]

    def as_sent(self, text: str) -> str:
        """Return a text with the file's line ends."""
        return text.replace("\n", self._line_end)

    def position(self, offset: int) -> Json:
        """Return where an offset is, as the client says it."""
        line = self.text[:offset].split("\n")
        return {"line": len(line) - 1, "character": self._units(line[-1])}

    def offset(self, position: Json) -> int:
        """Return the offset of a position, which must be a place between two characters of the document."""
        lines = self.text.split("\n")
        assert 0 <= position["line"] < len(lines), "a line that is not there"
        line = lines[position["line"]]
        places = [length for length in range(len(line) + 1) if self._units(line[:length]) == position["character"]]
        assert places, "a column that is not there"
        return sum(len(each) + 1 for each in lines[: position["line"]]) + places[0]

    def replace(self, start: int, end: int, text: str) -> Json:
        """Put ``text`` in the place of what is there, with the cursor behind it; return that as a change."""
        change = {
            "range": {"start": self.position(start), "end": self.position(end)},
            "text": self.as_sent(text),
        }
        self.text = self.text[:start] + text + self.text[end:]
        self.cursor = start + len(text)
        return change


_PART = re.compile(
    r"^(?P<origin>[^\n]+), (?P<tokens>\d+) tokens:\n\n(?P<fence>```+)text\n(?P<text>.*?)\n(?P=fence)$",
    re.DOTALL | re.MULTILINE,
)


def prompt_parts(page: str) -> list[tuple[str, str]]:
    """Return where each part of the prompts on `midfill.why`'s page comes from, and its text."""
    return [(part["origin"], part["text"]) for part in _PART.finditer(page)]
