"""Edits that the user does not want: they are known by the lines that they change."""

from __future__ import annotations

from dataclasses import dataclass

from midfill.next_edit.types import TextEdit


@dataclass(frozen=True)
class Change:
    """Whole lines of a document, and what an edit would make of them."""

    path: str
    old: str
    new: str


def change_of(path: str, text: str, edit: TextEdit) -> Change:
    """Return the change that an edit makes in a document. It stays the same when the document changes elsewhere."""
    start = text.rfind("\n", 0, edit.start) + 1
    end = text.find("\n", edit.end)
    old = text[start : end if end >= 0 else len(text)]
    return Change(path, old, TextEdit(edit.start - start, edit.end - start, edit.text).apply(old))
