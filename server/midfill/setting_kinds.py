"""What is known of a setting: the kind of its values, and who may set them when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Trust = Literal["no", "set it", "lower it", "raise it", "turn it off", "turn it on", "add to it"]
"""What the file of a workspace, which may be a stranger's, may do to a setting."""


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
        if not isinstance(value, str) or not value:
            raise ValueError
        try:
            return Path(value).expanduser()
        except RuntimeError as error:  # the home of a user whom this system does not know
            raise ValueError from error

    return Kind("the path of a folder", {"type": "string"}, read)


def table() -> Kind:
    """Describe a table of tables, whose entries have kinds of their own."""

    def read(value: object) -> dict[str, Any]:
        if not isinstance(value, dict) or not all(isinstance(entries, dict) for entries in value.values()):
            raise ValueError
        return value

    return Kind("a table of tables", {"type": "object"}, read)
