"""The documents that a client has open. Each is found by any spelling of its URI.

A client may open a document under one URI and then ask about another spelling of it. It may also open one file twice,
by its name and by a link. These are two documents for the protocol, each with a text of its own, but one file for
everything else. So a document is looked up by its URI first, and only then by its path.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from midfill.common.file_identity import resolve
from midfill.common.file_uri import file_in, plain_uri
from midfill.lsp.text_document import Document

_MAX_SPELLINGS = 1_024
"""Maximum number of other spellings that are remembered."""


@dataclass(frozen=True)
class DocumentName:
    """What a document is called."""

    uri: str
    """The URI under which the client opened it."""
    path: str
    """Its identity (:mod:`midfill.common.file_identity`). For a document that is no file, its URI without escapes."""
    opened_as: str = ""
    """The path in its URI, if that is not the identity."""

    @classmethod
    def of(cls, uri: str) -> DocumentName:
        """Ask the disk which file a URI means."""
        file = file_in(uri)
        if file is None:
            return cls(uri, plain_uri(uri))
        path = str(resolve(file))
        return cls(uri, path, "" if str(file) == path else str(file))


class OpenDocuments:
    """The documents of one client. The disk is asked once for each URI, when it comes for the first time."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}
        self._names: dict[str, DocumentName] = {}
        self._spellings: dict[str, str] = {}
        """Other URIs of open documents, and the URIs under which these were opened."""

    def __len__(self) -> int:
        """Return the number of open documents."""
        return len(self._documents)

    def __contains__(self, uri: str) -> bool:
        """Return whether a document is open."""
        return self.uri(uri) in self._documents

    def __getitem__(self, uri: str) -> Document:
        """Return an open document.

        Raises:
            KeyError: it is not open.
        """
        return self._documents[self.uri(uri)]

    def get(self, uri: str) -> Document | None:
        """Return a document if it is open."""
        return self._documents.get(self.uri(uri))

    def items(self) -> Iterator[tuple[DocumentName, Document]]:
        """Yield all documents and their names, the one that was opened last at the end; for use in any thread."""
        for uri, document in list(self._documents.items()):
            yield self.name(uri), document

    def open(self, uri: str, document: Document) -> None:
        """Add a document that the client has opened under this URI."""
        self._forget(uri)
        self._names[uri] = DocumentName.of(uri)
        self._documents[uri] = document

    def replace(self, uri: str, document: Document) -> None:
        """Put a newer version in the place of an open document."""
        self._documents[self.uri(uri)] = document

    def close(self, uri: str) -> None:
        """Remove a document; nothing happens if it is not open."""
        self._forget(self.uri(uri))

    def uri(self, uri: str) -> str:
        """Return the URI under which the client opened a document; this one if it is not open."""
        if uri in self._documents:
            return uri
        if uri not in self._spellings:
            found = self.at(DocumentName.of(uri).path)
            if found is None:
                return uri
            if len(self._spellings) >= _MAX_SPELLINGS:
                self._spellings.clear()
            self._spellings[uri] = found.uri
        return self._spellings[uri]

    def name(self, uri: str) -> DocumentName:
        """Return the name of a document, as it was when the document was opened if it is open."""
        return self._names.get(self.uri(uri)) or DocumentName.of(uri)

    def at(self, path: str) -> DocumentName | None:
        """Return the name of the document of a file, the one that was opened last; None if none is open."""
        return next((name for name in reversed(list(self._names.values())) if name.path == path), None)

    def is_only_one(self, name: DocumentName) -> bool:
        """Return whether no other open document has the same file."""
        return not any(other.path == name.path and other.uri != name.uri for other in self._names.values())

    def _forget(self, uri: str) -> None:
        self._documents.pop(uri, None)
        self._names.pop(uri, None)
        self._spellings.clear()
