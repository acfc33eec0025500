"""A notebook's cells as one text: what the cells above define is context for the cell that is being written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from midfill.code.languages import Language, language_of

_BETWEEN = "\n\n"


@dataclass(frozen=True)
class Cell:
    """One cell, as LSP has it: a document of its own."""

    uri: str
    language: str
    """LSP language id; ``markdown`` for prose."""
    text: str


@dataclass(frozen=True)
class JoinedCells:
    """The cells' texts, and where each is."""

    text: str
    starts: dict[str, int]
    """Where the text of a cell begins, by its URI; only cells in the language of the current one have a place."""

    def offset(self, uri: str, offset: int) -> int:
        """Return where an offset into a cell is in the whole text; KeyError for a cell that has no place."""
        return self.starts[uri] + offset


def join_cells(cells: Sequence[Cell], current: str) -> JoinedCells:
    """Join ``cells`` in their order, for the one whose URI is ``current``.

    Cells in its language are taken as they are, prose as comments, others are left out. In a cell of prose it is
    prose that is taken as it is, and code is left out.

    Raises:
        KeyError: no cell has that URI.
    """
    language = next((cell.language for cell in cells if cell.uri == current), None)
    if language is None:
        raise KeyError(current)
    parts: list[str] = []
    starts: dict[str, int] = {}
    length = 0
    for cell in cells:
        ours = cell.language == language
        part = cell.text if ours else _as_comment(cell, language_of("", language))
        if not ours and not part:
            continue
        between = _BETWEEN if parts else ""
        length += len(between)
        if ours:
            starts[cell.uri] = length
        parts += (between, part)
        length += len(part)
    return JoinedCells("".join(parts), starts)


def _as_comment(cell: Cell, language: Language) -> str:
    if cell.language != "markdown" or not language.line_comment:
        return ""
    lines = cell.text.strip().split("\n")
    return "\n".join(f"{language.line_comment} {line}".rstrip() for line in lines) if cell.text.strip() else ""
