"""A notebook's cells joined into one text, so that the other cells are context for the cell being edited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from midfill.code.cell_magics import language_of_cell, without_magics
from midfill.code.languages import Language, language_of

_SEPARATOR = "\n\n"


@dataclass(frozen=True)
class Cell:
    """One cell; in LSP each cell is a document."""

    uri: str
    language: str
    """LSP language id of its document; ``markdown`` for prose."""
    text: str

    @property
    def real_language(self) -> str:
        """The LSP language id of its code, which a magic may change."""
        return language_of_cell(self.language, self.text)


@dataclass(frozen=True)
class JoinedCells:
    """The joined text, and the offset of each cell in it."""

    text: str
    starts: dict[str, int]
    """Offset of each cell's text, by URI; only for cells in the language of the current cell."""
    language: str
    """LSP language id of the current cell's code."""

    def offset(self, uri: str, offset: int) -> int:
        """Convert an offset within a cell to an offset in the joined text.

        Raises:
            KeyError: the cell has no entry in :attr:`starts`.
        """
        return self.starts[uri] + offset


def join_cells(cells: Sequence[Cell], current: str, cursor: int | None = None) -> JoinedCells:
    """Join ``cells``, in order, for the cell whose URI is ``current``.

    Cells in the current cell's language are included, with comments in place of IPython's magics. Markdown cells are
    included as comments. All other cells are left out. When the current cell is Markdown, only Markdown cells are
    included. The line of the cursor, an offset in the current cell, stays as it is.

    Raises:
        KeyError: no cell has the URI ``current``.
    """
    language = next((cell.real_language for cell in cells if cell.uri == current), None)
    if language is None:
        raise KeyError(current)
    parts: list[str] = []
    starts: dict[str, int] = {}
    length = 0
    for cell in cells:
        same_language = cell.real_language == language
        text = without_magics(cell.language, cell.text, cursor if cell.uri == current else None)
        part = text if same_language else _as_comment(cell.real_language, text, language_of("", language))
        if not same_language and not part:
            continue
        separator = _SEPARATOR if parts else ""
        length += len(separator)
        if same_language:
            starts[cell.uri] = length
        parts += (separator, part)
        length += len(part)
    return JoinedCells("".join(parts), starts, language)


def _as_comment(cell_language: str, text: str, language: Language) -> str:
    if cell_language != "markdown" or not language.line_comment:
        return ""
    lines = text.strip().split("\n")
    return "\n".join(f"{language.line_comment} {line}".rstrip() for line in lines) if text.strip() else ""
