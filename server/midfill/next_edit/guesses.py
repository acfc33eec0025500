"""Likely new texts of a window, without a model. They are only drafts: the model checks each of their tokens."""

from __future__ import annotations

from collections.abc import Sequence

from midfill.next_edit.renames import renamed, renames_in
from midfill.next_edit.types import Hunk

_MAX_CHANGES = 3
"""Number of latest changes whose renames are tried."""


def guesses(window: str, history: Sequence[Hunk]) -> list[str]:
    """Return the window with the latest renames made in it, if they change it."""
    guess = renamed(window, renames_in(history[-_MAX_CHANGES:]))
    return [guess] if guess != window else []
