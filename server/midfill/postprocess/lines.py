"""The lines around the cursor that the filters compare a suggestion with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from rapidfuzz.distance import Levenshtein

from midfill.prompt.context import Context

MAX_NEARBY_CHARACTERS = 20_000
"""Maximum number of characters on each side of the cursor that a filter reads, since it runs at every token."""
_MAX_SERIES_DISTANCE = 0.3
"""Maximum normalised Levenshtein distance between two lines of one series."""
_TAB_COLUMNS = 4
"""Number of columns of a tab where an indentation of tabs is compared with one of spaces."""


def nearby(context: Context) -> Context:
    """Return the part of the document that the filters read; it is short even when the document's lines are long."""
    prefix, suffix = context.prefix[-MAX_NEARBY_CHARACTERS:], context.suffix[:MAX_NEARBY_CHARACTERS]
    return replace(context, prefix=prefix, suffix=suffix)


def indent(line: str) -> int:
    """Return the number of spaces and tabs at the start of ``line``."""
    return len(line) - len(line.lstrip(" \t"))


def columns(line: str) -> int:
    """Return the column at which the text of ``line`` begins, with tabs of four columns."""
    return len(line[: indent(line)].expandtabs(_TAB_COLUMNS))


def lines_below(context: Context, count: int) -> list[str]:
    """Return the first ``count`` lines below the cursor's line that are not blank, with their indentation."""
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
    """Return the first line below the cursor's line that is not blank, with its indentation; "" when there is none."""
    return next(iter(lines_below(context, 1)), "")


def lines_above(context: Context, count: int) -> list[str]:
    """Return the last ``count`` lines above the cursor's line that are not blank, the nearest last."""
    return list(islice(lines_upwards(context), count))[::-1]


def lines_upwards(context: Context) -> Iterator[str]:
    """Yield the lines above the cursor's line that are not blank, the nearest first, with their indentation."""
    end = context.prefix.rfind("\n")
    while end > 0:
        start = context.prefix.rfind("\n", 0, end) + 1
        line = context.prefix[start:end].rstrip()
        if line:
            yield line
        end = start - 1


def line_above(context: Context) -> str:
    """Return the last line above the cursor's line that is not blank, with its indentation; "" when there is none."""
    return next(lines_upwards(context), "")


def has_word(line: str) -> bool:
    """Return whether ``line`` has a letter or a digit; lines of signs alone are too common to compare."""
    return any(character.isalnum() for character in line)


def alike(one: str, other: str, distance: float) -> bool:
    """Return whether two texts are at most ``distance`` apart (Levenshtein distance / length of the longer text)."""
    return Levenshtein.normalized_distance(one, other, score_cutoff=distance) <= distance


def in_series(context: Context) -> bool:
    """Return whether the lines above and below the cursor are similar: then a similar line may stand between them."""
    above, below = line_above(context), line_below(context)
    return bool(above) and alike(above, below, _MAX_SERIES_DISTANCE)
