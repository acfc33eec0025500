"""An edit that the user makes by hand, character by character: the rest of it needs no model."""

from __future__ import annotations

from midfill.next_edit.changed_lines import common_start
from midfill.next_edit.difference import replacements
from midfill.next_edit.types import TextEdit


def rest_of(edit: TextEdit, before: str, now: str) -> TextEdit | None:
    """Return what is left of an edit of the text ``before``, now that the text is ``now``.

    None if something else was typed, or nothing is left.
    """
    grown = len(now) - len(before)
    end = edit.end + grown
    if end < edit.start or now[: edit.start] != before[: edit.start] or now[end:] != before[edit.end :]:
        return None
    old, typed = before[edit.start : edit.end], now[edit.start : end]
    made = common_start(typed, edit.text)
    left = typed[made:]
    if not old.endswith(left) or typed == edit.text:
        return None
    return TextEdit(edit.start + made, end, edit.text[made:])


def parts_of(edit: TextEdit, document: str) -> tuple[TextEdit, ...]:
    """Return the smallest edits of a document that together make the same change as one edit, in their order."""
    return tuple(
        TextEdit(edit.start + part.start, edit.start + part.end, part.text)
        for part in replacements(document[edit.start : edit.end], edit.text)
    )
