"""Open notebooks: the cells of each, in their order. The text of a cell is a document like any other."""

from __future__ import annotations

from dataclasses import dataclass

from lsprotocol import types

from midfill.code.notebook_text import Cell, join_cells
from midfill.lsp.open_documents import DocumentName, OpenDocuments
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

    name: DocumentName
    """The name of the notebook, or of the document."""
    text: str
    start: int
    """The offset in the text at which the document begins."""


class Notebooks:
    """The notebooks that a client has open."""

    def __init__(self) -> None:
        self._names: dict[str, DocumentName] = {}
        """The names of the notebooks, by path."""
        self._cells: dict[str, list[str]] = {}
        """The URIs of the cells, by the notebook's path."""
        self._prose: set[str] = set()

    def open(self, notebook: types.NotebookDocument) -> None:
        """Keep a notebook that the client has opened."""
        name = DocumentName.of(notebook.uri)
        self._names[name.path] = name
        self._cells[name.path] = [cell.document for cell in notebook.cells]
        self._note_kinds(notebook.cells)

    def change(self, uri: str, array: types.NotebookCellArrayChange) -> None:
        """Insert cells, or remove some."""
        cells = self._cells.setdefault(self._path(uri), [])
        new = array.cells or ()
        cells[array.start : array.start + array.delete_count] = [cell.document for cell in new]
        self._note_kinds(new)

    def close(self, uri: str) -> None:
        """Forget a notebook."""
        path = self._path(uri)
        self._prose -= set(self._cells.pop(path, ()))
        self._names.pop(path, None)

    def whole(self, uri: str, document: Document, documents: OpenDocuments) -> Whole:
        """Return the whole text of ``document``, which takes the place of the open document at ``uri``."""
        notebook = next((notebook for notebook, cells in self._cells.items() if uri in cells), None)
        if notebook is None:
            return Whole(documents.name(uri), document.text, 0)
        known = {cell: documents[cell] for cell in self._cells[notebook] if cell in documents} | {uri: document}
        cells = [
            Cell(cell, "markdown" if cell in self._prose else known[cell].language, known[cell].text)
            for cell in self._cells[notebook]
            if cell in known
        ]
        joined = join_cells(cells, uri)
        return Whole(self._names[notebook], joined.text, joined.starts[uri])

    def _path(self, uri: str) -> str:
        """Return the path that a notebook had when it was opened; one that is not open is added."""
        for path, name in self._names.items():
            if name.uri == uri:
                return path
        name = DocumentName.of(uri)
        return self._names.setdefault(name.path, name).path

    def _note_kinds(self, cells: object) -> None:
        if isinstance(cells, (list, tuple)):
            self._prose |= {cell.document for cell in cells if cell.kind == types.NotebookCellKind.Markup}
