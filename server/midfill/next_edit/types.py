"""What a prediction is made of, and what comes of it: plain values, without protocol and session."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from midfill.common.reasons import Reason
from midfill.privacy.secrets import RedactedText


@dataclass(frozen=True, kw_only=True)
class Document:
    """One version of a document."""

    path: str
    """Its identity (:mod:`midfill.common.file_identity`); its URI if it is no file."""
    text: str
    r"""The whole text, with "\n" as line ending. It may have secrets: they are replaced before a model sees it."""
    language: str = ""
    """The LSP language id; "" if it is unknown."""
    opened_as: str = ""
    """The path by which the client knows it, if that is another one. It may be excluded by that name, too."""


@dataclass(frozen=True, kw_only=True)
class Hunk:
    """Some lines of a document that were changed, before and after, without secrets. Lines count from 0."""

    path: str
    first_line: int
    """The first changed line, in the document as it is now."""
    old: RedactedText
    r"""The lines before the change, with "\n" between them; "" if lines were inserted."""
    new: RedactedText
    """The lines after it; "" if lines were removed."""
    old_lines: int
    new_lines: int
    """Numbers of lines before and after."""
    suggested: bool = False
    """Whether an accepted suggestion made the change."""
    above: tuple[RedactedText, ...] = ()
    below: tuple[RedactedText, ...] = ()
    """The unchanged line above and the one below; none at an end of the document, and none that is very long."""

    @property
    def end_line(self) -> int:
        """The line after the last changed one."""
        return self.first_line + self.new_lines


class Why(str, Enum):
    """Why an edit is looked for at a place."""

    CURSOR = "cursor"
    RENAMED = "renamed"
    SIGNATURE = "signature"
    SAME_SHAPE = "same-shape"
    DIAGNOSTIC = "diagnostic"
    GIVEN = "given"
    """The caller named the place."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, kw_only=True)
class Place:
    """A line at which the next edit may be."""

    path: str
    line: int
    """From 0."""
    why: Why = Why.GIVEN
    column: int | None = None
    """The cursor's column in characters, if the cursor is at this place."""


@dataclass(frozen=True)
class TextEdit:
    """A part of a document, and the text that replaces it. Offsets are in characters of the original document."""

    start: int
    end: int
    text: str

    def apply(self, document: str) -> str:
        """Return the document with the edit."""
        return document[: self.start] + self.text + document[self.end :]


@dataclass(frozen=True, kw_only=True)
class NextEdit:
    """The edit predicted at one place, or the reason why there is none."""

    place: Place
    reason: Reason = Reason.NONE
    """Why there is no edit; ``Reason.NONE`` if there is one."""
    edits: tuple[TextEdit, ...] = ()
    """The smallest edits that together make the change, in the order of the document; () if there is none."""
    confidence: float | None = None
    """The model's probability that all changed lines are right, 0 to 1; None if nothing was generated."""
    model: str = ""
    edit_format: str = ""
    """The name of the model that was asked, and of its prompt's format; both "" if none was."""
    prompt_tokens: int = 0
    reused_tokens: int = 0
    """Tokens of the prompt that were found in the KV cache."""
    tokens: int = 0
    """Tokens generated."""
    steps: int = 0
    """Steps of the model after the prefill. Without drafts, there is one for each token."""
    milliseconds: dict[str, float] = field(default_factory=dict)
    """Time of each stage: prompt, prefill, decode, filters."""
    prompt: tuple[int, ...] = ()
    """Token ids of the exact prompt."""
    prompt_text: str = ""
    """Their text, which another model's tokenizer would not know."""

    def joined(self, document: str) -> TextEdit:
        """Return one edit of ``document`` that makes the same change, from the first changed place to the last.

        Raises:
            IndexError: there is no edit.
        """
        start, end = self.edits[0].start, self.edits[-1].end
        parts: list[str] = []
        at = start
        for edit in self.edits:
            parts += (document[at : edit.start], edit.text)
            at = edit.end
        return TextEdit(start, end, "".join(parts))

    def apply(self, document: str) -> str:
        """Return ``document`` with the edit; as it is if there is none."""
        return self.joined(document).apply(document) if self.edits else document
