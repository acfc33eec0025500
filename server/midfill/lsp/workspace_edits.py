"""Edits in the form that an editor can use: with versions, annotations and new files, if it supports them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lsprotocol import types

from midfill.actions.checked_edit import Edit
from midfill.actions.hunks import hunks
from midfill.lsp.text_document import Document

_ANNOTATION = "midfill"


def workspace_edit(
    edit: Edit, document: Document, uri: str, label: str, client: types.ClientCapabilities, *, is_new: bool = False
) -> types.WorkspaceEdit:
    """Return an edit of a document as LSP has it.

    Args:
        edit: the edit.
        document: the document as it is now.
        uri: the URI of the document.
        label: what the edit does, for the user who confirms it.
        client: what the editor can do.
        is_new: whether the edit creates the file.
    """
    able = client.workspace.workspace_edit if client.workspace else None
    operations: Sequence[Any] = (able.resource_operations or ()) if able else ()
    changes: list[Any] = [_text_edit(hunk, document) for hunk in hunks(edit, document.text)]
    if able is None or not (able.document_changes or operations):
        return types.WorkspaceEdit(changes={uri: changes})
    annotated = able.change_annotation_support is not None
    if annotated:
        changes = [types.AnnotatedTextEdit(_ANNOTATION, change.range, change.new_text) for change in changes]
    version = None if is_new else document.version
    target = types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=version)
    made: list[Any] = [types.TextDocumentEdit(target, changes)]
    if is_new and types.ResourceOperationKind.Create in operations:
        options = types.CreateFileOptions(ignore_if_exists=True)
        made.insert(0, types.CreateFile(uri, options=options, annotation_id=_ANNOTATION if annotated else None))
    asked = types.ChangeAnnotation(label=label, needs_confirmation=True, description="Midfill")
    return types.WorkspaceEdit(document_changes=made, change_annotations={_ANNOTATION: asked} if annotated else None)


def _text_edit(edit: Edit, document: Document) -> types.TextEdit:
    """Replace whole lines. The last line of a document may have no line end."""
    count = document.text.count("\n") + 1
    text = "".join(f"{line}\n" for line in edit.lines)
    start, end = types.Position(edit.first_line, 0), types.Position(edit.end_line, 0)
    if edit.end_line < count:
        return types.TextEdit(types.Range(start, end), text)
    end = document.position_at(len(document.text))
    if edit.first_line < count:
        return types.TextEdit(types.Range(start, end), text.removesuffix("\n"))
    return types.TextEdit(types.Range(end, end), f"\n{text.removesuffix(chr(10))}")
