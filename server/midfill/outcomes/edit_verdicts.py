"""A predicted edit as the journal has it: beside the suggestions, with its place and why that was looked at."""

from __future__ import annotations

import math

from midfill.common.lines import offset_of_line
from midfill.completion.types import Completion, Request
from midfill.next_edit.types import NextEdit
from midfill.outcomes.journal import Entry, Journal
from midfill.prompt.fim import Part


def add_edit(journal: Journal, text: str, edit: NextEdit) -> Entry:
    """Add an edit of a document with this text, or the reason why there is none."""
    place = edit.place
    joined = edit.joined(text) if edit.edits else None
    offset = joined.start if joined else offset_of_line(text, place.line) + (place.column or 0)
    completion = Completion(
        text=joined.text if joined else "",
        start=offset,
        end=joined.end if joined else offset,
        reason=edit.reason,
        model=f"{edit.model}, format {edit.edit_format}" if edit.model else "",
        prompt_tokens=edit.prompt_tokens,
        reused_tokens=edit.reused_tokens,
        parts=(Part("edit", list(edit.prompt), text=edit.prompt_text),) if edit.prompt else (),
        tokens=edit.tokens,
        logprobs=(math.log(edit.confidence),) if edit.confidence else (),
        milliseconds=edit.milliseconds,
    )
    return journal.add(Request(text=text, offset=offset, path=place.path, automatic=True), completion, str(place.why))
