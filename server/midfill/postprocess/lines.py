"""The lines around the cursor, as the filters look at them."""

from __future__ import annotations

from dataclasses import replace

from rapidfuzz.distance import Levenshtein

from midfill.prompt.context import Context

_NEARBY = 20_000
"""Characters on each side of the cursor that a filter may look at: it runs at every token."""


def nearby(context: Context) -> Context:
    """Return what the filters look at: a document's part round the cursor, however long it or its lines are."""
    return replace(context, prefix=context.prefix[-_NEARBY:], suffix=context.suffix[:_NEARBY])


def indent(line: str) -> int:
    """Return how many characters of white space ``line`` begins with."""
    return len(line) - len(line.lstrip(" \t"))


def lines_below(context: Context, count: int) -> list[str]:
    """Return the first ``count`` lines below the cursor's that are not blank, indentation and all."""
    found: list[str] = []
    start = context.suffix.find("\n") + 1
    while start > 0 and len(found) < count:
        end = context.suffix.find("\n", start)
        line = context.suffix[start : end if end >= 0 else None].rstrip()
        if line:
            found.append(line)
        start = end + 1
    return found


def line_below(context: Context) -> str:
    """Return the first line below the cursor's that is not blank, indentation and all; "" for none."""
    return next(iter(lines_below(context, 1)), "")


def lines_above(context: Context, count: int) -> list[str]:
    """Return the last ``count`` lines above the cursor's that are not blank, the nearest last."""
    found: list[str] = []
    end = context.prefix.rfind("\n")
    while end > 0 and len(found) < count:
        start = context.prefix.rfind("\n", 0, end) + 1
        line = context.prefix[start:end].rstrip()
        if line:
            found.append(line)
        end = start - 1
    return found[::-1]


def line_above(context: Context) -> str:
    """Return the last line above the cursor's that is not blank, indentation and all; "" for none."""
    return next(iter(lines_above(context, 1)), "")


def has_word(line: str) -> bool:
    """Whether ``line`` is more than brackets and other signs, which are too common to tell one from another."""
    return any(character.isalnum() for character in line)


def alike(one: str, other: str, distance: float) -> bool:
    """Whether so few characters differ: ``distance`` is the Levenshtein distance by the longer one's length."""
    return Levenshtein.normalized_distance(one, other, score_cutoff=distance) <= distance


def in_series(context: Context, distance: float) -> bool:
    """Whether the lines above and below the cursor are alike: then what belongs between them is like them, too."""
    above, below = line_above(context), line_below(context)
    return bool(above) and alike(above, below, distance)
