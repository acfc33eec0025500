"""A notebook's cells joined into one text, so that the other cells are context for the cell being edited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from midfill.code.languages import Language, language_of

_SEPARATOR = "\n\n"


@dataclass(frozen=True)
class Cell:
    """One cell; in LSP each cell is a document."""

    uri: str
    language: str
    """LSP language id; ``markdown`` for prose."""
    text: str


@dataclass(frozen=True)
class JoinedCells:
    """The joined text, and the offset of each cell in it."""

    text: str
    starts: dict[str, int]
    """Offset of each cell's text, by URI; only for cells in the language of the current cell."""

    def offset(self, uri: str, offset: int) -> int:
        """Convert an offset within a cell to an offset in the joined text.

        Raises:
            KeyError: the cell has no entry in :attr:`starts`.
        """
        return self.starts[uri] + offset


def join_cells(cells: Sequence[Cell], current: str) -> JoinedCells:
    """Join ``cells``, in order, for the cell whose URI is ``current``.

    Cells in the current cell's language are included unchanged. Markdown cells are included as comments. All other
    cells are left out. When the current cell is Markdown, only Markdown cells are included.

    Raises:
        KeyError: no cell has the URI ``current``.
    """
    language = next((cell.language for cell in cells if cell.uri == current), None)
    if language is None:
        raise KeyError(current)
    parts: list[str] = []
    starts: dict[str, int] = {}
    length = 0
    for cell in cells:
        same_language = cell.language == language
        part = cell.text if same_language else _as_comment(cell, language_of("", language))
        if not same_language and not part:
            continue
        separator = _SEPARATOR if parts else ""
        length += len(separator)
        if same_language:
            starts[cell.uri] = length
        parts += (separator, part)
        length += len(part)
    return JoinedCells("".join(parts), starts)


def _as_comment(cell: Cell, language: Language) -> str:
    if cell.language != "markdown" or not language.line_comment:
        return ""
    lines = cell.text.strip().split("\n")
    return "\n".join(f"{language.line_comment} {line}".rstrip() for line in lines) if cell.text.strip() else ""
