"""Why an action gives nothing: the reason codes, each with the words that explain it."""

from __future__ import annotations

from enum import Enum


class ActionReason(str, Enum):
    """A reason code. Its value is what users, JSON results and scripts see."""

    explanation: str
    """What the reason means, in words. A detail that names what was found in the code replaces it."""

    def __new__(cls, code: str, explanation: str = "") -> ActionReason:
        """Make a member whose value is the code alone."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.explanation = explanation
        return member

    def __str__(self) -> str:
        return str.__str__(self)

    # The request lacks something.
    NO_MESSAGE = "no-message", "there is no error message to go by"
    NO_INSTRUCTION = "no-instruction", "there is no instruction"
    TOO_LONG = "too-long", "the code is too long: select less"

    # The action has nothing to do in these lines, or not in this language.
    NO_DEFINITION = "no-definition", "there is no function or class in these lines"
    NO_BODY = "no-body", "the definition has no body to document"
    ONE_LINE = "one-line", "the body stands on the line of its declaration"
    DOCUMENTED = "documented", "everything that can be documented already is"
    NO_CONVENTION = "no-convention", "it is not known how this language is documented"
    NO_ANNOTATIONS = "no-annotations", "this language has no types that could be added"
    NO_LAYOUT = "no-layout", "it is not known where tests of this language belong"

    # These lines cannot become a function.
    NO_EXTRACTION = "no-extraction", "it is not known how a function is taken out of this language"
    NO_FUNCTION = "no-function", "only lines within a function can be taken out of it"
    NOT_STATEMENTS = "not-statements", "select whole statements"
    DOCUMENTATION = "documentation", "the function's documentation cannot be taken out of it"
    RETURNS = "returns", "these lines return from the function they are in"
    LEAVES_LOOP = "leaves-loop", "these lines leave a loop that they are in"
    CLASS = "class", "these lines can only stand in their class"
    GLOBAL = "global", "these lines set variables of the module or of a function around"
    MAYBE_UNSET = "maybe-unset", "a variable is used below, and may not be set by these lines"

    # The model's answer gives no edit that can be trusted.
    NO_CODE = "no-code", "there is no code in the answer"
    CUT_SHORT = "cut-short", "the answer is too long"
    UNCHANGED = "unchanged", "the code is the same as before"
    ONLY_COMMENTS = "only-comments", "only comments, docstrings or blank lines have changed: change the code"
    OTHER_CODE = "other-code", "the answer is about other code than was asked about"
    PROSE = "prose", "there is more than code in the code block"
    LEFT_OUT = "left-out", "code was left out"
    SYNTAX = "syntax", "it is not valid in place of the selected lines"
    IMPORT = "import", "a name is not imported in this file: do without it"
    UNKNOWN_NAME = "unknown-name", "a name is not defined in this file: do without it"
    WRONG_CALL = "wrong-call", "a call does not fit the declaration of its function"
    CODE_CHANGED = "code-changed", "more has changed than was asked for: the code itself must stay as it is"
    NAME_LOST = "name-lost", "a definition is missing: answer with all of the selected code"
    REPEATED = "repeated", "a name is defined already: answer with the selected lines only"
    SIGNATURE = "signature", "the declaration must stay as it is"
    SECRET = "secret", "a placeholder must stay where it is"
    LONGER = "longer", "it is longer than before: make it shorter"
    NO_DOCUMENTATION = "no-documentation", "there is no documentation in the answer"
    PARAMETER = "parameter", "it does not say what a parameter is"
    WRONG_TYPE = "wrong-type", "a function returns something, so '-> None' is wrong"
    NO_NAME = "no-name", "there is no name in the answer"
    NAME_TAKEN = "name-taken", "the name is there already: choose another name"
    NO_TEST = "no-test", "there is no test in the code"
    NOT_PROVED = "not-proved", "the changed code was run, and is wrong"
    UNREADABLE = "unreadable", "the file of the tests cannot be read"

    # The action was refused, or ended, whatever the code and the answer.
    EXCLUDED = "excluded", "this file is excluded from what the model may see"
    NOT_OPEN = "not-open", "Midfill works on open files only: open this one."
    NO_ANSWER = "no-answer", "There is no answer yet that a question could go on from."
    CHANGED = "changed", "Midfill edited nothing: the text has changed since. Choose the action again."
    OUTSIDE = "outside", "Midfill edited nothing: the file is outside the workspace or excluded."
    FAILED = "failed", "There is no model, or it failed."
    CANCELLED = "cancelled", "The action was cancelled."
    CLOSED = "closed", "The server was closed before the action ended."


class Faulty(Exception):
    """Code or an answer that nothing can be made of; ``str`` is what the model and the user are told."""

    def __init__(self, reason: ActionReason, detail: str = "") -> None:
        super().__init__(detail or reason.explanation)
        self.reason = reason
