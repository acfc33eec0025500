"""What an action is, and what it works on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from midfill.actions.checked_edit import Edit, Faulty
from midfill.actions.selection import Selection
from midfill.chat.conversation import Conversation
from midfill.common.cancel import CancelFlag
from midfill.prompt.chat_template import Message

Need = Literal["message", "instruction"]


def _not_open(_: str) -> None:
    return None


@dataclass(frozen=True)
class Task:
    """What an action is asked to do."""

    selection: Selection
    message: str = ""
    """A diagnostic's, a compiler's or a test's, with its traceback where there is one."""
    instruction: str = ""
    """What the user wants, in their words."""
    history: tuple[Message, ...] = ()
    """The turns before, of a conversation that goes on."""
    whole_file: bool = False
    """Whether no lines were selected."""
    open_text: Callable[[str], str | None] = _not_open
    """The text that an editor has of a file, by its path; that counts rather than what is on disk."""


Reader = Callable[[str, Task], Edit]
"""Makes an edit of an answer, or raises :class:`midfill.actions.checked_edit.Faulty`."""
Look = Callable[[Task, Sequence[Message], Conversation, CancelFlag], Iterator[str]]
"""Takes the lines, and what the model is asked of them."""


def _as_it_is(task: Task) -> Task:
    return task


def _code(task: Task) -> str:
    return task.selection.code


def _nothing(_: Task) -> str:
    return ""


def _nothing_more(_: Task) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something the model can be asked to do with code; its prompt is the file of its name."""

    name: str
    title: str
    """For a menu."""
    kind: str
    """LSP's CodeActionKind."""
    needs: Need | None = None
    """What it cannot do without, besides lines."""
    prepare: Callable[[Task], Task] = _as_it_is
    """Chooses the lines; raises :class:`midfill.actions.checked_edit.Faulty` where the action has nothing to do."""
    parts: Callable[[Task], Sequence[Task]] | None = None
    """What it falls into, each prepared and done by itself; None for one whole."""
    values: Callable[[Task], Mapping[str, str]] = _nothing_more
    """What its prompt is told besides what all are."""
    prompt: Callable[[Task], str] | None = None
    """Chooses another prompt than the one of its name."""
    shown: Callable[[Task], str] = _code
    """What stands in the prompt for the lines."""
    begin: Callable[[Task], str] = _nothing
    """What the answer begins with."""
    enough: Callable[[str], bool] | None = None
    """Whether an answer says what is wanted already; None for when its code is whole."""
    look: Look | None = None
    """Makes what is there to read, line by line, where that is not simply the model's answer."""
    read: Reader | None = None
    """Makes the edit; None for an action whose answer is read by a person."""
    must_change: bool = False
    """Whether the code cannot stay as it is: then less likely answers are tried, too."""


def in_code(task: Task) -> str:
    """Begin with a block of code."""
    return f"```{task.selection.language.grammar}\n"


def with_definition(task: Task) -> Task:
    """Select the whole definition where one line is selected: a cursor is in it, rather than at it."""
    selection = task.selection
    if selection.end_line - selection.first_line <= 1:
        selection = selection.of_definition()
    if not selection.code.strip():
        raise Faulty("no-code", "there is no code in these lines")
    return replace(task, selection=selection)
