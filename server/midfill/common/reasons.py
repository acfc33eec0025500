"""Reason codes: why a request got no suggestion. `midfill why` prints the code with its sentence."""

from __future__ import annotations

from enum import Enum


class Reason(str, Enum):
    """A reason code; a plain string in JSON and in the log."""

    NONE = ""
    ABOVE_REPEAT = "above-repeat"
    BLANK = "blank"
    CANCELLED = "cancelled"
    CLOSED = "closed"
    COMMENT = "comment"
    CUT_OFF = "cut-off"
    DISABLED = "disabled"
    DISMISSED = "dismissed"
    EMPTY_COMMENT = "empty-comment"
    EXCLUDED = "excluded"
    FAILED = "failed"
    FOLDER = "folder"
    GHOST_TEXT = "ghost-text"
    IDLE = "idle"
    IN_SECRET = "in-secret"  # noqa: S105 -- a reason code
    LANGUAGE = "language"
    NO_EDITS = "no-edits"
    PATH = "path"
    PLACEHOLDER = "placeholder"
    POLICY = "policy"
    REPETITION = "repetition"
    REVERSAL = "reversal"
    SERVER = "server"
    STRING = "string"
    SUFFIX_REPEAT = "suffix-repeat"
    SUPERSEDED = "superseded"
    SYNTAX = "syntax"
    TOO_SHORT = "too-short"
    UNCHANGED = "unchanged"
    UNSURE = "unsure"
    WHITE_SPACE = "white-space"

    def __str__(self) -> str:
        return self.value

    @property
    def sentence(self) -> str:
        """The explanation for a person, without a capital and a full stop."""
        return _SENTENCES[self]


_SENTENCES = {
    Reason.NONE: "a suggestion was shown",
    Reason.ABOVE_REPEAT: "the text repeats the line above the cursor",
    Reason.BLANK: "the model generated only white space",
    Reason.CANCELLED: "the editor cancelled the request",
    Reason.CLOSED: "the server was shutting down",
    Reason.COMMENT: "the cursor is in a comment, where suggestions are off (setting quietInComments)",
    Reason.CUT_OFF: "the edit was not finished within its limit of tokens or time",
    Reason.DISABLED: "suggestions while typing are off (setting enabled), or edits are (setting nextEdit)",
    Reason.DISMISSED: "the same edit was dismissed before",
    Reason.EMPTY_COMMENT: "the text is a comment without content",
    Reason.EXCLUDED: "the document is excluded by an ignore file, by the setting exclude, or because it holds secrets",
    Reason.FAILED: "the model failed or could not be loaded; the log has the error",
    Reason.FOLDER: "suggestions are off in this folder (setting quietFolders)",
    Reason.GHOST_TEXT: "the edit is the ghost text that is shown already",
    Reason.IDLE: "the model is not loaded",
    Reason.IN_SECRET: "the cursor is within a secret",
    Reason.LANGUAGE: "suggestions are off in this language (setting quietLanguages)",
    Reason.NO_EDITS: "nothing was changed lately from which the next edit could be told",
    Reason.PATH: "the text is only the path of a file",
    Reason.PLACEHOLDER: "the text contains the placeholder of a redacted secret",
    Reason.POLICY: "the policy of this computer's administrators forbids it; `midfill doctor` says what it rules",
    Reason.REPETITION: "the text repeats itself",
    Reason.REVERSAL: "the edit would undo what was just done, or do again what was just undone",
    Reason.SERVER: "the server that has the model cannot be used (setting engine); the log says why",
    Reason.STRING: "the cursor is in a string, where suggestions are off (setting quietInStrings)",
    Reason.SUFFIX_REPEAT: "the text repeats what follows the cursor",
    Reason.SUPERSEDED: "a newer request replaced this one",
    Reason.SYNTAX: "the text would add a syntax error",
    Reason.TOO_SHORT: "the text is too short to be useful",
    Reason.UNCHANGED: "the model would change nothing here",
    Reason.UNSURE: "the model's confidence is too low (setting minConfidence; for edits, nextEditConfidence)",
    Reason.WHITE_SPACE: "the edit would change only white space",
}
