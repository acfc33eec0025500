"""What is known about a setting: the kind of its values, and who may set them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from midfill.common.printable import printable

Trust = Literal["no", "set it", "lower it", "raise it", "turn it off", "turn it on", "add to it"]
"""What a workspace's file, which may come from a stranger, may do with a setting."""
_MAX_PROBLEMS = 10
"""Maximum number of problems of one source that are reported with a line each."""
_MAX_NAME_CHARACTERS = 80
"""Maximum length of a setting's name in a message."""
_MAX_TEXT = 300
"""Maximum length of a short text."""


@dataclass(frozen=True)
class Kind:
    """The values that a setting may have."""

    words: str
    """The kind in words, as in "must be true or false"."""
    schema: dict[str, Any]
    """The kind in JSON Schema."""
    read: Callable[[object], Any]
    """Takes a JSON value and returns the setting's value; raises ValueError for a wrong one."""


@dataclass(frozen=True)
class About:
    """What is known about a setting, apart from its name and its default."""

    kind: Kind
    description: str
    """One line of Markdown, without a capital and a full stop."""
    workspace_may: Trust
    by_language: bool
    """Whether each language may have a value of its own."""
    needs_reload: bool
    """Whether a loaded model must be loaded again when the setting changes."""


def about(
    kind: Kind, description: str, workspace_may: Trust = "no", *, by_language: bool = False, needs_reload: bool = False
) -> dict[str, About]:
    """Return the metadata for the field of a setting."""
    return {"about": About(kind, description, workspace_may, by_language, needs_reload)}


def whole(low: int, high: int, *, or_zero: bool = False) -> Kind:
    """Describe a whole number from ``low`` to ``high``; with ``or_zero``, 0 is allowed too."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError
        if not (low <= value <= high or (or_zero and value == 0)):
            raise ValueError
        return value

    words = f"{'0 or ' if or_zero else ''}a whole number from {low} to {high}"
    return Kind(words, {"type": "integer", "minimum": 0 if or_zero else low, "maximum": high}, read)


def number(low: float, high: float) -> Kind:
    """Describe a number from ``low`` to ``high``."""

    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise ValueError
        return float(value)

    return Kind(f"a number from {low:g} to {high:g}", {"type": "number", "minimum": low, "maximum": high}, read)


def flag() -> Kind:
    """Describe a value that is true or false."""

    def read(value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError
        return value

    return Kind("true or false", {"type": "boolean"}, read)


def texts() -> Kind:
    """Describe a list of texts, none of them empty."""

    def read(value: object) -> tuple[str, ...]:
        if not isinstance(value, (list, tuple)) or not all(isinstance(text, str) and text for text in value):
            raise ValueError
        return tuple(value)

    return Kind("a list of texts", {"type": "array", "items": {"type": "string"}}, read)


def folder() -> Kind:
    """Describe the path of a folder, which need not exist. A tilde stands for the user's home folder."""

    def read(value: object) -> Path:
        if not isinstance(value, str) or not value or "\0" in value:
            raise ValueError
        try:
            return Path(value).expanduser()
        except RuntimeError as error:  # "~name" of an unknown user
            raise ValueError from error

    return Kind("the path of a folder", {"type": "string"}, read)


def file() -> Kind:
    """Describe the path of a file, as a text; "" for none. A tilde stands for the user's home folder."""

    def read(value: object) -> str:
        return str(folder().read(value)) if value != "" else ""

    return Kind('the path of a file, or ""', {"type": "string"}, read)


def text() -> Kind:
    """Describe a short text of one line; "" for none."""

    def read(value: object) -> str:
        if not isinstance(value, str) or len(value) > _MAX_TEXT or printable(value) != value:
            raise ValueError
        return value

    return Kind("a short text", {"type": "string"}, read)


def choice(*words: str) -> Kind:
    """Describe one of a few words."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            raise ValueError
        return value

    return Kind(" or ".join(words), {"type": "string", "enum": list(words)}, read)


def table() -> Kind:
    """Describe a table of tables. The kinds of the inner values are checked separately."""

    def read(value: object) -> dict[str, Any]:
        if not isinstance(value, dict) or not all(isinstance(entries, dict) for entries in value.values()):
            raise ValueError
        return value

    return Kind("a table of tables", {"type": "object"}, read)


def camel(name: str) -> str:
    """Return the name that users write for an attribute: ``maxTokens`` for ``max_tokens``."""
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def read_named(
    known: Mapping[str, Kind], options: Mapping[str, object], where: str, prefix: str = ""
) -> tuple[dict[str, Any], list[str]]:
    """Read the values in ``options`` by the kinds of their names.

    Args:
        known: the kinds of all known names.
        options: values by name.
        where: the source as messages name it, such as " in FILE".
        prefix: text before each name in messages, such as "languages.sql.".

    Returns:
        The correct values by name, and one line for each name or value that is unknown or wrong.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, value in options.items():
        if (kind := known.get(name)) is None:
            near = nearest(name, known) if len(problems) < _MAX_PROBLEMS else None
            hint = f"did you mean '{in_line(prefix + near)}'?" if near else "`midfill settings` lists all."
            problems.append(f"Midfill has no setting '{in_line(prefix + name)}'{where}; {hint}")
            continue
        try:
            values[name] = kind.read(value)
        except ValueError:
            problems.append(f"Midfill setting '{in_line(prefix + name)}'{where} must be {kind.words}; it is ignored.")
    return values, problems


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most similar to ``name``; None if none is similar."""
    return next(iter(difflib.get_close_matches(name, known, 1)), None)


def shorten(problems: list[str], where: str) -> list[str]:
    """Return the first problems of one source, and a line with the number of the others."""
    more = len(problems) - _MAX_PROBLEMS
    shown = problems[:_MAX_PROBLEMS]
    return [*shown, f"Midfill settings{where} have {more} more problems of this kind."] if more > 0 else shown


def in_line(name: str) -> str:
    """Return a name from an untrusted file so that it can be printed in one line."""
    shown = printable(name)
    return shown if len(shown) <= _MAX_NAME_CHARACTERS else f"{shown[:_MAX_NAME_CHARACTERS]}…"
