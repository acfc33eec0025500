"""Why an edit is not shown. Silence is the default: a wrong edit costs more than a missing one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from midfill.code.languages import language_of
from midfill.code.python_ast import parse
from midfill.code.syntax import Syntax
from midfill.common.lines import offset_of_line
from midfill.common.reasons import Reason
from midfill.next_edit.difference import LineChange, Replacement, line_changes, replacements
from midfill.next_edit.renames import renames_between
from midfill.next_edit.types import Document, Hunk
from midfill.next_edit.window import Window

_MAX_CHECKED = 100_000
"""Maximum number of characters of a document that Python's own parser reads. More take too long for who waits."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """An edit that the model proposes."""

    document: Document
    window: Window
    new: str
    """The window's new text."""
    is_whole: bool
    """Whether the model ended the text, and not a limit."""
    history: Sequence[Hunk]
    undone: Sequence[Hunk]

    @cached_property
    def changes(self) -> list[LineChange]:
        """The lines that differ."""
        return line_changes(self.window.text, self.new)

    @cached_property
    def parts(self) -> list[Replacement]:
        """The smallest replacements."""
        return replacements(self.window.text, self.new)


def reason_for_silence(candidate: Candidate) -> Reason:
    """Return the reason of the first filter that applies; ``Reason.NONE`` if the edit may be shown."""
    return next((reason for reason, applies in _FILTERS.items() if applies(candidate)), Reason.NONE)


def _is_cut_off(candidate: Candidate) -> bool:
    """Return whether a limit ended the text, or lines at the window's end are missing: then the model just stopped."""
    last = candidate.changes[-1]
    is_at_end = last.first + len(last.old) == candidate.window.text.count("\n") + 1
    return not candidate.is_whole or (is_at_end and not last.new)


def _is_white_space(candidate: Candidate) -> bool:
    return "".join(candidate.window.text.split()) == "".join(candidate.new.split())


def _has_placeholder(candidate: Candidate) -> bool:
    """Return whether the edit writes a placeholder, or changes a secret."""
    return any(
        candidate.window.touches_secret(part.start, part.end)
        or any(placeholder in part.text for placeholder in candidate.window.placeholders)
        for part in candidate.parts
    )


def _is_reversal(candidate: Candidate) -> bool:
    """Return whether the edit makes lines or names what they were before, or does again what was undone."""
    path = candidate.document.path
    back = [(hunk.new, hunk.old) for hunk in candidate.history if hunk.path == path]
    back += [(hunk.old, hunk.new) for hunk in candidate.undone if hunk.path == path]
    names = {rename for hunk in candidate.history for rename in renames_between(hunk.new, hunk.old)}
    for change in candidate.changes:
        old, new = _stripped(change.old), _stripped(change.new)
        if any(
            _contains(_stripped(before.split("\n")), old) and _contains(_stripped(after.split("\n")), new)
            for before, after in back
            if (old or before == "") and (new or after == "")
        ):
            return True
        if names.intersection(renames_between("\n".join(change.old), "\n".join(change.new))):
            return True
    return False


def _stripped(lines: Sequence[str]) -> list[str]:
    return [line.strip() for line in lines if line.strip()]


def _contains(lines: list[str], part: list[str]) -> bool:
    return any(lines[at : at + len(part)] == part for at in range(len(lines) - len(part) + 1))


def _repeats(candidate: Candidate) -> bool:
    """Return whether the edit only inserts lines that stand beside it already."""
    lines = candidate.window.text.split("\n")
    return any(_is_beside(change, lines) for change in candidate.changes)


def _is_beside(change: LineChange, lines: list[str]) -> bool:
    new = _stripped(change.new)
    if change.old or not new:
        return False
    above, below = _stripped(lines[: change.first]), _stripped(lines[change.first :])
    return above[-len(new) :] == new or below[: len(new)] == new


def _adds_error(candidate: Candidate) -> bool:
    """Return whether the document has more syntax errors with the edit than without it."""
    document, window = candidate.document, candidate.window
    language = language_of(document.path, document.language)
    text = document.text
    end = offset_of_line(text, window.end_line) - (window.end_line <= text.count("\n"))
    start = offset_of_line(text, window.first_line)
    edited = text[:start] + candidate.new + text[end:]
    original = text[:start] + window.text + text[end:]  # with placeholders, as the edited one has them
    if language.grammar == "python" and len(text) <= _MAX_CHECKED and parse(original) is not None:
        return parse(edited) is None
    return Syntax(edited, language).errors() > Syntax(original, language).errors()


_FILTERS: dict[Reason, Callable[[Candidate], bool]] = {
    Reason.CUT_OFF: _is_cut_off,
    Reason.WHITE_SPACE: _is_white_space,
    Reason.PLACEHOLDER: _has_placeholder,
    Reason.REVERSAL: _is_reversal,
    Reason.REPETITION: _repeats,
    Reason.SYNTAX: _adds_error,
}
"""The filters in their order: the cheap ones come first."""
