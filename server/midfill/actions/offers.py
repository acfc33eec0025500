"""Which actions are offered in a place; the model is not asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from midfill.actions.action import Action, ActionTask, Need, Place, prepared
from midfill.actions.all_actions import ACTIONS
from midfill.actions.reasons import ActionReason, Faulty
from midfill.common.cancel import CancelFlag

_MAX_MESSAGE_CHARACTERS = 60
"""Maximum number of characters of an error message in a title."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """An action that fits a place."""

    action: Action
    title: str
    message: str = ""
    """The error message that the action is to work on."""
    whole_file: bool = False
    """Whether the action works on all of the file, whatever lines are selected."""
    needs_input: bool = False
    """Whether the user must give an instruction first."""


def offers_for_diagnostic(message: str, source: str) -> Iterator[Offer]:
    """Yield the actions for a diagnostic with this message, from this source ("" if that is not known)."""
    first_line = message.strip().partition("\n")[0]
    if len(first_line) > _MAX_MESSAGE_CHARACTERS:
        first_line = f"{first_line[: _MAX_MESSAGE_CHARACTERS - 1]}…"
    for action in ACTIONS.values():
        if Place.DIAGNOSTIC in action.offered:
            yield Offer(
                action=action,
                title=f"{action.title}: {first_line}",
                message=f"{message} ({source})" if source else message,
            )


def offers_for_lines(task: ActionTask, *, selected: bool, cancel: CancelFlag | None = None) -> Iterator[Offer]:
    """Yield the actions that have something to do in the lines of a task.

    Args:
        task: the lines.
        selected: whether the user selected them; otherwise they are where the cursor is.
        cancel: ends the search between two actions.

    Raises:
        Cancelled: ``cancel`` was set.
    """
    place = Place.SELECTION if selected else Place.CURSOR
    for action in ACTIONS.values():
        if cancel is not None:
            cancel.check()
        if not action.offered & {place, Place.FILE}:
            continue
        needs_input = action.needs is Need.INSTRUCTION
        try:
            prepared(action, task)
        except Faulty as fault:
            if fault.reason is not ActionReason.NO_INSTRUCTION:
                continue
            needs_input = True
        yield Offer(
            action=action,
            title=f"{action.title}{'…' if needs_input else ''}",
            whole_file=Place.FILE in action.offered,
            needs_input=needs_input,
        )
