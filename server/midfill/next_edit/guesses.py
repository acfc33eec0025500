"""Likely new texts of a window, without a model: the latest changes, made here too. The model then judges them."""

from __future__ import annotations

from collections.abc import Sequence

from midfill.next_edit.analogy import is_like, transferred
from midfill.next_edit.difference import line_changes
from midfill.next_edit.renames import renames_between, tokens
from midfill.next_edit.scopes import ScopedRename, scoped_renames
from midfill.next_edit.types import Document, Hunk
from midfill.next_edit.window import Window

LATEST = 3
"""Number of latest changes that are made elsewhere too."""


def guess(document: Document, window: Window, history: Sequence[Hunk]) -> str | None:
    """Return a window of a document with the latest changes made in it; None if they do not change it."""
    latest = history[-LATEST:]
    pairs = [
        pair
        for hunk in reversed(latest)
        for change in line_changes(hunk.old, hunk.new)
        for pair in zip(change.old, change.new, strict=False)
    ]
    renames = scoped_renames(document, latest)
    lines = window.text.split("\n")
    text = "\n".join(_changed(line, window.first_line + number, pairs, renames) for number, line in enumerate(lines))
    return text if text != window.text else None


def _changed(line: str, number: int, pairs: Sequence[tuple[str, str]], renames: Sequence[ScopedRename]) -> str:
    """Return a line of a document as it would be after the latest changes."""
    for scoped in renames:
        if scoped.covers(number):
            line = scoped.rename.apply(line)
    likely = (transferred(line, old, new) for old, new in pairs if is_like(line, old, new))
    return next((other for other in likely if other is not None and not _renames_only(line, other)), line)


def _renames_only(line: str, other: str) -> bool:
    """Return whether one line differs from another only by names: then scopes decide, and not the shape."""
    return bool(renames_between(line, other)) and len(tokens(line)) == len(tokens(other))
