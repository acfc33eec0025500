"""Open notebooks: the cells of each, in their order. The text of a cell is a document like any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lsprotocol import types

from midfill.code.notebook_text import Cell, join_cells
from midfill.lsp.text_document import Document

SYNC = types.NotebookDocumentSyncOptions(
    notebook_selector=[
        types.NotebookDocumentFilterWithCells(
            notebook=types.NotebookDocumentFilterScheme(scheme=scheme), cells=[types.NotebookCellLanguage(language="*")]
        )
        for scheme in ("file", "untitled")
    ]
)
"""All cells of all kinds of notebooks."""


@dataclass(frozen=True)
class Whole:
    """The whole text that a document is part of: the cells of its notebook, or the document itself."""

    uri: str
    text: str
    start: int
    """The offset in the text at which the document begins."""


class Notebooks:
    """The notebooks that a client has open."""

    def __init__(self) -> None:
        self._cells: dict[str, list[str]] = {}
        self._prose: set[str] = set()

    def open(self, notebook: types.NotebookDocument) -> None:
        """Keep a notebook that the client has opened."""
        self._cells[notebook.uri] = [cell.document for cell in notebook.cells]
        self._note_kinds(notebook.cells)

    def change(self, uri: str, array: types.NotebookCellArrayChange) -> None:
        """Insert cells, or remove some."""
        cells = self._cells.setdefault(uri, [])
        new = array.cells or ()
        cells[array.start : array.start + array.delete_count] = [cell.document for cell in new]
        self._note_kinds(new)

    def close(self, uri: str) -> None:
        """Forget a notebook."""
        self._prose -= set(self._cells.pop(uri, ()))

    def whole(self, uri: str, document: Document, documents: Mapping[str, Document]) -> Whole:
        """Return the whole text of ``document``, which takes the place of the open document at ``uri``."""
        notebook = next((notebook for notebook, cells in self._cells.items() if uri in cells), None)
        if notebook is None:
            return Whole(uri, document.text, 0)
        known = {**documents, uri: document}
        cells = [
            Cell(cell, "markdown" if cell in self._prose else known[cell].language, known[cell].text)
            for cell in self._cells[notebook]
            if cell in known
        ]
        joined = join_cells(cells, uri)
        return Whole(notebook, joined.text, joined.starts[uri])

    def _note_kinds(self, cells: object) -> None:
        if isinstance(cells, (list, tuple)):
            self._prose |= {cell.document for cell in cells if cell.kind == types.NotebookCellKind.Markup}
