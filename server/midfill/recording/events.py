"""The lines of a recorded session, as plain values; each is one JSON object in one line of the file.

Reading is strict: a line with another type, an unknown name or a missing one is refused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import cattrs

from midfill.actions.from_project import FromProject
from midfill.prompt.chat_template import Message
from midfill.prompt.snippets import WorkspaceSnippets

FORMAT = 1
"""The format version. It is increased when older versions of Midfill would read a new file wrongly."""


@dataclass(frozen=True, kw_only=True)
class Begun:
    """The first line of a file."""

    format: int
    midfill: str
    """The version that recorded it."""


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A model was loaded."""

    name: str
    digest: str
    """See :func:`midfill.recording.digests.bundle_digest`."""
    processor: str
    """The processor, and what its 8-bit products are. Another one may answer otherwise."""
    settings: Mapping[str, Any]
    """The settings that answers depend on, by the names that users write."""


@dataclass(frozen=True, kw_only=True)
class Changed:
    """Settings have changed that need no other model."""

    settings: Mapping[str, Any]
    """See :attr:`Loaded.settings`."""


@dataclass(frozen=True, kw_only=True)
class Replacement:
    """The difference between two texts: one part is replaced."""

    start: int
    end: int
    """Where the part is in the earlier text, in characters."""
    text: str


@dataclass(frozen=True, kw_only=True)
class Question:
    """A request for a suggestion, without secrets."""

    path: str
    language: str
    automatic: bool
    alternatives: int
    offset: int
    """The cursor, in characters of the text."""
    edit: Replacement
    """Makes the document of that of the question before. If the path is another one, the earlier text is empty."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was suggested, or why nothing was."""

    text: str
    replaces: int
    """Number of characters right of the cursor that the text replaces."""
    alternatives: tuple[str, ...]
    reason: str
    """The reason code; "" if there is a suggestion."""
    prompt: str
    """See :func:`midfill.recording.digests.prompt_digest`."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request has reached the model. Its answer is the next line, unless it has killed the server."""

    question: Question


@dataclass(frozen=True, kw_only=True)
class Answered:
    """The request of the line before was answered."""

    answer: Answer
    snippets: WorkspaceSnippets | None
    """The parts of other files that were found for it; None for those of the answer before."""


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """The request of the line before was interrupted."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Unread:
    """A request was answered without its document, because that is excluded or the cursor is in a secret."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class TypedAlong:
    """A request was answered with the rest of an earlier suggestion, because the user has typed its beginning."""

    question: Question
    answer: Answer


@dataclass(frozen=True, kw_only=True)
class ActionAnswer:
    """What an action gave, or why it gave nothing."""

    text: str
    lines: tuple[str, ...]
    """The new lines of its edit, without secrets."""
    first_line: int
    end_line: int
    """The lines that they replace, as in :class:`midfill.actions.checked_edit.Edit`; both 0 without an edit."""
    findings: tuple[str, ...]
    reason: str
    """The reason code; "" if there is something."""


@dataclass(frozen=True, kw_only=True)
class Acted:
    """An action was done. Its texts have no secrets."""

    action: str
    path: str
    language: str
    edit: Replacement
    """See :attr:`Question.edit`."""
    first_line: int
    end_line: int
    """The selected lines."""
    message: str
    instruction: str
    whole_file: bool
    history: tuple[Message, ...]
    """The conversation that it continues."""
    digest: str
    """See :func:`midfill.recording.digests.bundle_digest`; a larger model may do actions."""
    answer: ActionAnswer
    found: tuple[FromProject, ...] = ()
    """What was found in the project for each part of it."""


@dataclass(frozen=True, kw_only=True)
class Full:
    """The file has reached its largest size. Nothing follows."""


Event = Begun | Loaded | Changed | Asked | Answered | Stopped | Unread | TypedAlong | Acted | Full
_KINDS: Mapping[str, type[Event]] = {
    "begun": Begun,
    "loaded": Loaded,
    "changed": Changed,
    "asked": Asked,
    "answered": Answered,
    "stopped": Stopped,
    "unread": Unread,
    "typed along": TypedAlong,
    "acted": Acted,
    "full": Full,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}
_converter = cattrs.Converter(forbid_extra_keys=True)


def to_line(event: Event) -> bytes:
    """Return an event as a line with its end."""
    return json.dumps({"kind": _NAMES[type(event)], **asdict(event)}).encode() + b"\n"


def from_line(line: bytes) -> Event:
    """Return the event of a line.

    Raises:
        ValueError: it is none.
    """
    try:
        values = json.loads(line)
        kind = _KINDS[values.pop("kind")]
        event: Event = _converter.structure(values, kind)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, cattrs.BaseValidationError) as error:
        raise ValueError("this is no event") from error
    return event


def _exactly(kind: type) -> Callable[[Any, Any], Any]:
    def check(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise TypeError
        return value

    return check


def _whole_characters(value: Any, _: Any) -> str:
    """Return a text without half a character, which no tokenizer accepts."""
    if type(value) is not str:
        raise TypeError
    value.encode()  # raises UnicodeEncodeError, a ValueError
    return value


def _finite(value: Any, _: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise TypeError
    return float(value)


for _kind in (int, bool):
    _converter.register_structure_hook(_kind, _exactly(_kind))
_converter.register_structure_hook(str, _whole_characters)
_converter.register_structure_hook(float, _finite)
