"""Edits as LSP has them: whole lines, at any place of a document, in the form that a client takes."""

from __future__ import annotations

import pytest
from lsprotocol import types
from lsprotocol.converters import get_converter

from midfill.actions.checked_edit import Edit
from midfill.lsp.text_document import Document
from midfill.lsp.workspace_edits import workspace_edit

URI = "file:///a.py"


def client(**able: object) -> types.ClientCapabilities:
    """Return a client that can do so much with edits."""
    said = {"workspace": {"workspaceEdit": able}} if able else {}
    return get_converter().structure(said, types.ClientCapabilities)


def document(text: str) -> Document:
    """Return a document, at its seventh version."""
    return Document(text, language="python", encoding="utf-8", version=7)


@pytest.mark.parametrize("text", ["", "a", "a\n", "a\nb", "a\nb\n", "ä\n\nb"])
@pytest.mark.parametrize("lines", [(), ("x",), ("a", "x", ""), ("a", "b")])
def test_text_edits_do_what_the_edit_does(text: str, lines: tuple[str, ...]) -> None:
    """At the end of a document without a last newline, too."""
    count = len(text.splitlines())
    for first in range(count + 1):
        for end in range(first, count + 1):
            edit, before = Edit(first, end, lines), document(text)
            changes = (workspace_edit(edit, before, URI, "Edit", client()).changes or {}).get(URI, ())
            after = before
            for change in reversed(list(changes)):
                after = after.changed(types.TextDocumentContentChangePartial(change.range, change.new_text))
            assert after.text == edit.apply(text), (first, end)


def test_form_is_the_clients() -> None:
    """Plain changes, versioned ones, annotated ones, and a file that is made."""
    edit, before = Edit(0, 1, ("x",)), document("a\n")
    plain = workspace_edit(edit, before, URI, "Edit", client())
    assert (list(plain.changes or {}), plain.document_changes) == ([URI], None)

    versioned = workspace_edit(edit, before, URI, "Edit", client(documentChanges=True))
    [change] = versioned.document_changes or ()
    assert isinstance(change, types.TextDocumentEdit)
    assert (change.text_document.version, versioned.change_annotations) == (7, None)

    annotated = workspace_edit(
        edit, before, URI, "Edit", client(documentChanges=True, changeAnnotationSupport={}, resourceOperations=[])
    )
    [asked] = (annotated.change_annotations or {}).values()
    assert (asked.needs_confirmation, asked.label) == (True, "Edit")

    able = client(documentChanges=True, changeAnnotationSupport={}, resourceOperations=["create"])
    made = workspace_edit(Edit(0, 0, ("x",)), document(""), URI, "Edit", able, is_new=True)
    create, write = made.document_changes or ()
    assert isinstance(create, types.CreateFile)
    assert isinstance(write, types.TextDocumentEdit)
    assert (create.uri, write.text_document.version) == (URI, None)
    assert {create.annotation_id, *(e.annotation_id for e in write.edits)} == set(made.change_annotations or {})  # type: ignore[union-attr]
