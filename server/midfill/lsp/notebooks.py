"""Open notebooks: the cells of each, in their order. The text of a cell is a document like any other."""

from __future__ import annotations

from dataclasses import dataclass

from lsprotocol import types

from midfill.code.cell_magics import language_of_cell
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
_CELL_SCHEME = "vscode-notebook-cell:"
"""Begins the URI of a cell. A client without notebooks opens each as a document of its own."""


@dataclass(frozen=True)
class Whole:
    """The whole text that a document is part of: the cells of its notebook, or the document itself."""

    name: DocumentName
    """The name of the notebook, or of the document."""
    text: str
    start: int
    """The offset in the text at which the document begins."""
    language: str
    """The LSP language id of the document's code; a notebook's cell may have another one than its document."""


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

    def whole(self, uri: str, document: Document, offset: int, documents: OpenDocuments) -> Whole:
        """Return the whole text of ``document``, which takes the place of the open document at ``uri``.

        ``offset`` is that of the cursor in the document.
        """
        notebook = next((notebook for notebook, cells in self._cells.items() if uri in cells), None)
        name = self._names[notebook] if notebook is not None else documents.name(uri)
        if notebook is None and not uri.startswith(_CELL_SCHEME):
            return Whole(name, document.text, 0, document.language)
        uris = self._cells[notebook] if notebook is not None else [uri]
        known = {cell: documents[cell] for cell in uris if cell in documents} | {uri: document}
        cells = [Cell(cell, self._language(cell, known[cell]), known[cell].text) for cell in uris if cell in known]
        joined = join_cells(cells, uri, offset)
        return Whole(name, joined.text, joined.starts[uri], joined.language)

    def language(self, uri: str, document: Document) -> str:
        """Return the LSP language id of a document's code."""
        if uri.startswith(_CELL_SCHEME) or any(uri in cells for cells in list(self._cells.values())):
            return language_of_cell(self._language(uri, document), document.text)
        return document.language

    def _language(self, uri: str, document: Document) -> str:
        return "markdown" if uri in self._prose else document.language

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
