"""A position in a file, as a command line names it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from midfill.cli.files import COUNT, read_file
from midfill.common.errors import UsageError

_PLACE = re.compile(rf"(?P<file>.+):(?P<line>{COUNT}):(?P<column>{COUNT})", re.DOTALL)


@dataclass(frozen=True)
class FilePlace:
    """A position in a file, and the file's text."""

    path: Path
    text: str
    line: int
    column: int
    """Both from 1; the column in characters."""

    @property
    def offset(self) -> int:
        """The position in characters from the start of the text."""
        return sum(len(line) + 1 for line in self.text.split("\n")[: self.line - 1]) + self.column - 1


def read_place(place: str) -> FilePlace:
    """Read the file of a position ``FILE:LINE:COL``.

    Raises:
        UsageError: there is no such position.
    """
    parts = _PLACE.fullmatch(place)
    if not parts:
        raise UsageError(f"'{place}' is not a position: write FILE:LINE:COL; lines and columns count from 1.")
    path, line, column = Path(parts["file"]), int(parts["line"]), int(parts["column"])
    text = read_file(path).text
    lines = text.split("\n")
    if line > len(lines):
        raise UsageError(f"{path} has {len(lines)} lines; line {line} does not exist.")
    here = lines[line - 1].removesuffix("\r")
    if column > len(here) + 1:
        raise UsageError(f"line {line} of {path} has {len(here)} characters; column {column} is past its end.")
    return FilePlace(path, text, line, column)


def position(text: str, offset: int) -> dict[str, int]:
    """Return the line and the column of an offset, both from 1, for JSON."""
    return {"line": text.count("\n", 0, offset) + 1, "column": offset - text.rfind("\n", 0, offset)}
