"""Edits of several parts of a document as one, and one edit as the few lines that really change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from midfill.actions.checked_edit import Edit
from midfill.actions.selection import lines_of


def merged(edits: Sequence[Edit], document: str) -> Edit:
    """Make one edit of several of the same document, which do not overlap."""
    ordered = sorted(edits, key=lambda edit: (edit.first_line, edit.end_line))
    first, end = ordered[0].first_line, max(edit.end_line for edit in ordered)
    there = [line.rstrip("\r\n") for line in lines_of(document)]
    lines: list[str] = []
    at = first
    for edit in ordered:
        lines += [*there[at : edit.first_line], *edit.lines]
        at = edit.end_line
    return Edit(first, end, tuple(lines), ordered[0].path)


def hunks(edit: Edit, document: str) -> Iterator[Edit]:
    """Yield the smallest edits of whole lines that come to the same, by their order in the document."""
    there = [line.rstrip("\r\n") for line in lines_of(document)][edit.first_line : edit.end_line]
    changes = SequenceMatcher(None, there, edit.lines, autojunk=False).get_opcodes()
    if changes and changes[-1][0] == "delete" and not document.endswith("\n"):  # the last line's end may be concerned
        yield edit
        return
    for tag, first, end, start, stop in changes:
        if tag != "equal":
            yield Edit(edit.first_line + first, edit.first_line + end, edit.lines[start:stop], edit.path)
