"""The lines around the cursor, as the filters look at them."""

from __future__ import annotations

from dataclasses import replace

from midfill.context import Context

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
