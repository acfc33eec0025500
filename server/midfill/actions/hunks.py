"""Joins edits of several parts of a document into one, and splits an edit into the lines that really change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from midfill.actions.checked_edit import Edit
from midfill.actions.selection import lines_of
from midfill.common.lines import lines_between

_MAX_COMPARED = 1_000_000
"""Maximum number of pairs of an old and a new line. More of them are not compared: that would take seconds."""


def merged(edits: Sequence[Edit], document: str) -> Edit:
    """Join several edits of one document into one edit. They must not overlap."""
    ordered = sorted(edits, key=lambda edit: (edit.first_line, edit.end_line))
    first, end = ordered[0].first_line, max(edit.end_line for edit in ordered)
    old = [line.rstrip("\r\n") for line in lines_of(lines_between(document, 0, end))]
    lines: list[str] = []
    at = first
    for edit in ordered:
        lines += [*old[at : edit.first_line], *edit.lines]
        at = edit.end_line
    return Edit(first, end, tuple(lines), ordered[0].path)


def hunks(edit: Edit, document: str) -> Iterator[Edit]:
    """Yield the smallest edits of whole lines that together make the same change, in the order of the document.

    A very long edit is yielded as it is.
    """
    old = [line.rstrip("\r\n") for line in lines_of(lines_between(document, edit.first_line, edit.end_line))]
    if len(old) * len(edit.lines) > _MAX_COMPARED:
        yield edit
        return
    changes = SequenceMatcher(None, old, edit.lines, autojunk=False).get_opcodes()
    if (
        changes and changes[-1][0] == "delete" and not document.endswith("\n")
    ):  # the end of the last line may change too
        yield edit
        return
    for tag, first, end, start, stop in changes:
        if tag != "equal":
            yield Edit(edit.first_line + first, edit.first_line + end, edit.lines[start:stop], edit.path)
