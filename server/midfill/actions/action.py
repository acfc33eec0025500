"""What an action is: what it needs, what it gives, when it is offered, and how the model is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from pathlib import Path

from midfill.actions.checked_edit import Edit
from midfill.actions.conventions import Conventions
from midfill.actions.findings import Finding
from midfill.actions.from_project import Look, no_project
from midfill.actions.reasons import ActionReason, Faulty
from midfill.actions.selection import Selection
from midfill.chat.conversation import Conversation
from midfill.common.cancel import CancelFlag
from midfill.privacy.ignore_rules import IgnoreRules
from midfill.privacy.secrets import redact
from midfill.prompt.chat_template import Message


class Need(Enum):
    """What a request must have besides lines of code."""

    MESSAGE = auto()
    """An error message."""
    INSTRUCTION = auto()
    """What the user wants, in words."""


class Gives(Enum):
    """What an action gives when all went well."""

    EDIT = auto()
    """Lines that take the place of others."""
    TEXT = auto()
    """Markdown for a person to read."""
    FINDINGS = auto()
    """Lines that may be wrong, and the same as a text."""


class Proves(Enum):
    """What running code can show of an edit."""

    NOTHING = auto()
    MENDS = auto()
    """A command that failed ends well."""
    KEEPS = auto()
    """The project's own tests of the code pass as before."""
    FASTER = auto()
    """They pass, and take no longer."""
    VALUES = auto()
    """What the code gives is what its new tests expect."""


class Place(Enum):
    """Where an action can be offered."""

    CURSOR = auto()
    SELECTION = auto()
    DIAGNOSTIC = auto()
    FILE = auto()
    """Anywhere in a file; the action then works on all of it."""


_MAX_DOCUMENT_CHARACTERS = 10_000_000
"""Maximum number of characters of a document in which an action works."""
_MAX_INSTRUCTION_CHARACTERS = 20_000
LINES = frozenset({Place.CURSOR, Place.SELECTION})


def _not_open(_: str) -> None:
    return None


def _any_file(_: Path) -> bool:
    return True


@dataclass(frozen=True)
class Runs:
    """A project of which code may be run, in a copy."""

    project: Path
    """Its folder."""
    rules: IgnoreRules
    """Say which files are copied."""
    allowed: Callable[[str, CancelFlag], bool]
    """Asks the user if need be whether a command, given in words, may be run; the flag ends the wait."""
    python: str = ""
    """The interpreter; "" for that of the project."""


@dataclass(frozen=True)
class ActionTask:
    """What an action works on, and what it is asked. Its words have no secrets: they are redacted when it is made."""

    selection: Selection
    message: str = ""
    """The error message of a diagnostic, a compiler or a test, with its traceback if there is one."""
    instruction: str = ""
    """What the user wants, in their words."""
    history: tuple[Message, ...] = ()
    """The messages of the conversation that this task continues."""
    whole_file: bool = False
    """Whether no lines were selected."""
    open_text: Callable[[str], str | None] = _not_open
    """Returns the text of a file, by its path, if an editor has it open. It counts rather than the text on disk."""
    may_change: Callable[[Path], bool] = _any_file
    """Says whether an edit may go to a file other than the document. Who writes the edit asks again then: a link may
    lead elsewhere by that time."""
    look: Look = no_project
    """Looks around in the project, for what the model should see of other files."""
    runs: Runs | None = None
    """What may be run of the project; None for nothing."""
    opened_as: str = ""
    """The path by which the client knows the document, if it is not the selection's."""

    def __post_init__(self) -> None:
        """Redact the words of users and tools whole: an action uses parts of them."""
        object.__setattr__(self, "message", redact(self.message).text)
        object.__setattr__(self, "instruction", redact(self.instruction).text)


Reader = Callable[[str, ActionTask], Edit]
"""Makes an edit of an answer, or raises :class:`midfill.actions.reasons.Faulty`."""
Locator = Callable[[str, Iterable[str]], "str | None"]
"""Returns which one of some paths an error message is about; None if it names none of them."""
Finder = Callable[[ActionTask, Sequence[Message], Conversation, CancelFlag], Iterator[Finding]]
"""Yields what may be wrong in the lines, in their order; it is given the question that the model is asked."""


def _unchanged(task: ActionTask) -> ActionTask:
    return task


def _no_text(_: ActionTask) -> str:
    return ""


def _no_part(_: str) -> str:
    return ""


def no_conventions(_: Conventions) -> Sequence[str]:
    """Tell of no convention."""
    return ()


def _no_values(_: ActionTask) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something that the model can be asked to do with code. Its prompt is the file of its name."""

    name: str
    title: str
    """Its name in a menu."""
    kind: str
    """LSP's CodeActionKind."""
    needs: Need | None = None
    """What a request must have; the action is refused without it."""
    offered: frozenset[Place] = LINES
    """The places where it is offered.

    An action that needs selected lines is offered for a selection only; one that works on a whole file, for the file.
    """
    locate: Locator | None = None
    """Chooses the document by the message, if a request names none; None for an action whose request must name one."""
    prepare: Callable[[ActionTask], ActionTask] = _unchanged
    """Chooses the lines. Raises :class:`midfill.actions.reasons.Faulty` where the action has nothing to do."""
    parts: Callable[[ActionTask], Sequence[ActionTask]] | None = None
    """Splits the task into parts, each of which is done separately; None for a task that is done as a whole."""
    values: Callable[[ActionTask], Mapping[str, str]] = _no_values
    """Returns the values of the names in its prompt, besides those that all prompts have."""
    prompt: Callable[[ActionTask], str] | None = None
    """Returns the name of the prompt, where that is not the action's own name."""
    begin: Callable[[ActionTask], str] = _no_text
    """Returns the text that the answer must begin with."""
    enough: Callable[[str], bool] | None = None
    """Says whether an unfinished answer has all that is needed; None to stop when its block of code is complete."""
    complete_part: Callable[[str], str] = _no_part
    """Returns what stands by itself of an answer that was cut at its greatest length; "" for nothing."""
    read: Reader | None = None
    """Makes an edit of the answer; None for an action that gives no edit."""
    find: Finder | None = None
    """Finds what may be wrong; None for an action that gives no findings."""
    conventions: Callable[[Conventions], Sequence[str]] = Conventions.about_code
    """Says, each in a few words, what conventions of the project matter."""
    proves: Proves = Proves.NOTHING
    """What running code can show of its edit."""
    must_change: bool = False
    """Whether the code cannot stay as it is. Less likely answers are then tried if the first one changes nothing."""

    @property
    def gives(self) -> Gives:
        """What it gives when all went well."""
        if self.find:
            return Gives.FINDINGS
        return Gives.EDIT if self.read else Gives.TEXT


def prepared(action: Action, task: ActionTask) -> ActionTask:
    """Let an action choose its lines.

    Raises:
        Faulty: the action has nothing to do there, or the lines are too long.
    """
    if len(task.selection.document) > _MAX_DOCUMENT_CHARACTERS:
        raise Faulty(ActionReason.TOO_LONG, f"files of more than {_MAX_DOCUMENT_CHARACTERS:,} characters are not read")
    if len(task.instruction) > _MAX_INSTRUCTION_CHARACTERS:
        limit = f"more than {_MAX_INSTRUCTION_CHARACTERS:,} characters"
        raise Faulty(ActionReason.TOO_LONG, f"an instruction of {limit} is too long: say it in fewer words")
    task = action.prepare(task)
    if task.selection.is_too_long:
        raise Faulty(ActionReason.TOO_LONG, "so much code at once is too much: select less")
    return task


def in_code(task: ActionTask) -> str:
    """Begin the answer with a block of code."""
    return f"```{task.selection.language.grammar}\n"


def with_definition(task: ActionTask) -> ActionTask:
    """Select the whole definition if one line is selected: somebody who has a cursor in it means all of it.

    Raises:
        Faulty: there is no code in the lines.
    """
    selection = task.selection
    if selection.end_line - selection.first_line <= 1:
        selection = selection.of_definition()
    if not selection.code.strip():
        raise Faulty(ActionReason.NO_CODE, "there is no code in these lines")
    return replace(task, selection=selection)
