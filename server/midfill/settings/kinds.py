"""What is known of a setting: the kind of its values, and who may set them when."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Trust = Literal["no", "set it", "lower it", "raise it", "turn it off", "turn it on", "add to it"]
"""What the file of a workspace, which may be a stranger's, may do to a setting."""
_MOST_TOLD = 10
"""Problems of one source that are worth a line each."""
_LONGEST_NAME = 80


@dataclass(frozen=True)
class Kind:
    """The values that a setting may have."""

    words: str
    """What a value must be, as in "must be true or false"."""
    schema: dict[str, Any]
    """The same in the terms of JSON Schema."""
    read: Callable[[object], Any]
    """Returns the setting's value; raises ValueError for a value that it may not have."""


@dataclass(frozen=True)
class About:
    """What is known of a setting besides its name and default."""

    kind: Kind
    description: str
    """One line of Markdown, without a capital and a full stop."""
    workspace_may: Trust
    by_language: bool
    """Whether a language may have its own."""
    needs_reload: bool
    """Whether a model that is loaded has to be loaded again for it."""


def about(
    kind: Kind, description: str, workspace_may: Trust = "no", *, by_language: bool = False, needs_reload: bool = False
) -> dict[str, About]:
    """Return the metadata of a setting's field."""
    return {"about": About(kind, description, workspace_may, by_language, needs_reload)}


def whole(low: int, high: int, *, or_zero: bool = False) -> Kind:
    """Describe a whole number from ``low`` to ``high``, and 0 where that has a meaning of its own."""

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
    """Describe what is on or off."""

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
    """Describe the path of a folder, which need not exist; a tilde is the user's home."""

    def read(value: object) -> Path:
        if not isinstance(value, str) or not value or "\0" in value:
            raise ValueError
        try:
            return Path(value).expanduser()
        except RuntimeError as error:  # the home of a user whom this system does not know
            raise ValueError from error

    return Kind("the path of a folder", {"type": "string"}, read)


def choice(*words: str) -> Kind:
    """Describe one of a few words."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            raise ValueError
        return value

    return Kind(" or ".join(words), {"type": "string", "enum": list(words)}, read)


def table() -> Kind:
    """Describe a table of tables, whose entries have kinds of their own."""

    def read(value: object) -> dict[str, Any]:
        if not isinstance(value, dict) or not all(isinstance(entries, dict) for entries in value.values()):
            raise ValueError
        return value

    return Kind("a table of tables", {"type": "object"}, read)


def read_named(
    known: Mapping[str, Kind], options: Mapping[str, object], where: str, prefix: str = ""
) -> tuple[dict[str, Any], list[str]]:
    """Read values by the kinds that belong to their names.

    Returns:
        The values of what is right, by name, and one line for each that is unknown or wrong, where ``prefix`` stands
        before the name and ``where`` after it.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, value in options.items():
        if (kind := known.get(name)) is None:
            near = nearest(name, known) if len(problems) < _MOST_TOLD else None
            hint = f"did you mean '{in_line(prefix + near)}'?" if near else "`midfill settings` lists all."
            problems.append(f"Midfill has no setting '{in_line(prefix + name)}'{where}; {hint}")
            continue
        try:
            values[name] = kind.read(value)
        except ValueError:
            problems.append(f"Midfill setting '{in_line(prefix + name)}'{where} must be {kind.words}; it is ignored.")
    return values, problems


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that ``name`` is a slip of; None when it is like none of them."""
    return next(iter(difflib.get_close_matches(name, known, 1)), None)


def shorten(problems: list[str], where: str) -> list[str]:
    """Return as many problems of one source as anybody reads, and how many there are besides."""
    more = len(problems) - _MOST_TOLD
    told = problems[:_MOST_TOLD]
    return [*told, f"Midfill settings{where} hold {more} more that are unknown or wrong."] if more > 0 else told


def in_line(name: str) -> str:
    """Return a name, which somebody made up, so that it fits into a line."""
    shown = name if name.isprintable() else ascii(name)[1:-1]
    return shown if len(shown) <= _LONGEST_NAME else f"{shown[:_LONGEST_NAME]}…"
