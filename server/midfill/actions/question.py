"""What the model is asked: the code, what is around it, and how long the answer may be."""

from __future__ import annotations

from dataclasses import dataclass, replace

from midfill.actions.action import Action, ActionTask, Gives
from midfill.actions.conventions import Conventions
from midfill.actions.from_project import FromProject
from midfill.actions.prompts import block, prompt
from midfill.actions.reasons import ActionReason, Faulty
from midfill.actions.selection import Excerpt
from midfill.actions.surroundings import Seen, Surroundings, surroundings_of
from midfill.chat.conversation import MAX_ANSWER_TOKENS, Conversation
from midfill.prompt.chat_template import Message

MAX_AROUND_TOKENS = 600
"""Maximum number of tokens of the rest of the document."""
_MIN_AROUND_TOKENS = 150
"""Their minimum number beside long code, if there is room."""
_QUICK_TOKENS = 1_100
"""Tokens that two cores prefill in a few seconds. Beside longer code, the rest of the document is cut."""
_LENGTH_OF_AN_EDIT = 1.5
"""An answer may be this many times as long as the code that it replaces, plus ``_SHORT_ANSWER_TOKENS``."""
_SHORT_ANSWER_TOKENS = 256
_OTHER_TOKENS = 400
"""Room for the parts of the prompt that are not code."""
_MAX_CODE_TOKENS = 4_000
"""Maximum number of tokens of code that is only read. Of longer code, some functions are shown without their bodies."""


@dataclass(frozen=True)
class ActionQuestion:
    """What the model is asked."""

    messages: tuple[Message, ...]
    max_tokens: int
    """Maximum number of tokens of the answer."""
    left_out: tuple[str, ...]
    """Names of definitions that did not fit."""
    seen: tuple[Seen, ...] = ()
    """The other parts of the project that the model is shown."""


def question_about(action: Action, task: ActionTask, conversation: Conversation) -> ActionQuestion:
    """Return the question that an action asks about the lines of a task.

    Raises:
        Faulty: the code is too long.
    """
    selection = task.selection
    length = conversation.count(selection.code)
    code = Excerpt(selection.code)
    if action.gives is Gives.EDIT:
        max_tokens = int(length * _LENGTH_OF_AN_EDIT) + _SHORT_ANSWER_TOKENS
    else:
        max_tokens = MAX_ANSWER_TOKENS
        if length > _MAX_CODE_TOKENS:
            code = selection.outline(conversation.count, _MAX_CODE_TOKENS, task.instruction)
            length = _MAX_CODE_TOKENS
    room = conversation.room - length - max_tokens - _OTHER_TOKENS
    if room < 0:
        raise Faulty(ActionReason.TOO_LONG, f"{length} tokens of code are more than there is room for: select less")
    around_tokens = min(max(_QUICK_TOKENS - length, _MIN_AROUND_TOKENS), MAX_AROUND_TOKENS, room)
    project = FromProject() if task.history else task.look(selection)
    project = replace(project, max_tokens=max(min(project.max_tokens, room - around_tokens), 0))
    around = surroundings_of(selection, project, conversation.count, around_tokens, task.instruction)
    history = task.history or (Message("system", prompt("system", {})),)
    asked = Message("user", _words(action, task, code.text, around, project.conventions))
    return ActionQuestion((*history, asked), max_tokens, (*code.left_out, *around.left_out), around.seen)


def _words(action: Action, task: ActionTask, code: str, around: Surroundings, conventions: Conventions) -> str:
    language = task.selection.language
    if task.history:  # it shows the code already
        return task.instruction
    definition = task.selection.selected_definition
    said = action.conventions(conventions)
    context = [
        f"Other files of the project, for reference:\n\n{block(around.elsewhere, language.grammar)}"
        * bool(around.elsewhere),
        f"Other parts of the file, for reference:\n\n{block(around.here, language.grammar)}" * bool(around.here),
        f"The project's conventions: {'; '.join(said)}." * bool(said),
    ]
    values = {
        "language": language.name,
        "block": block(code, language.grammar),
        "context": "".join(f"{part}\n\n" for part in context if part),
        "part": f"`{definition.name}`" if definition else "the code above",
        "instruction": task.instruction,
        **action.values(task),
    }
    if "framework" in values and conventions.framework:
        values["framework"] = conventions.framework
    values["also"] = f" {values['instruction']}" if values["instruction"] else ""
    return prompt(action.prompt(task) if action.prompt else action.name, values)
