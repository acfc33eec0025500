"""Drops: they look at the whole suggestion and say why it is not worth showing."""

from __future__ import annotations

from collections.abc import Callable

from midfill.context import Context
from midfill.filters.lines import line_below

Drop = Callable[[str, Context], bool]


def drop_blank(text: str, _context: Context) -> bool:
    """Drop nothing but white space."""
    return not text.strip()


def drop_suffix_repeat(text: str, context: Context) -> bool:
    """Drop a suggestion that makes the cursor's line the same as the line that follows already."""
    following = line_below(context)
    return len(following.strip()) > 3 and (context.line_prefix + text).rstrip() == following


DROPS: dict[str, Drop] = {"blank": drop_blank, "suffix-repeat": drop_suffix_repeat}


def reason_to_drop(text: str, context: Context) -> str:
    """Return the code of the first drop that applies, or "" to show the suggestion."""
    return next((reason for reason, drop in DROPS.items() if drop(text, context)), "")
