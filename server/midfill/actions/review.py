"""Review: what may be wrong in a file, finding by finding, each with its line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from midfill.actions.action import Action, Task

_FINDING = re.compile(
    r"""^[ \t]*(?:[-*•]|\d+\.)?[ \t]*[`*]*
    (?:L|lines?[ \t]*)?(?P<line>\d+)(?:[ \t]*[-\u2013][ \t]*\d+)?[`*]*[ \t]*[:.)\u2013-]+[`*]*[ \t]*
    (?P<text>\S.*)""",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)


@dataclass(frozen=True)
class Finding:
    """Something that may be wrong."""

    line: int
    """From 0."""
    text: str


def findings(answer: str, task: Task) -> list[Finding]:
    """Return what a review found in the lines it was shown, in their order; the first of several that say the same."""
    first, end = task.selection.first_line, task.selection.end_line
    found: dict[tuple[int, str], Finding] = {}
    for match in _FINDING.finditer(answer):
        line, text = int(match["line"]) - 1, match["text"].strip("` ")
        if first <= line < end and task.selection.redacted_lines[line].strip() and text.lower() != "none":
            found.setdefault((line, text), Finding(line, text))
    return sorted(found.values(), key=lambda finding: finding.line)


def numbered(task: Task) -> str:
    """Return the selected lines with their numbers, as people count them."""
    first = task.selection.first_line + 1
    return "\n".join(f"{number:>4} {line}".rstrip() for number, line in enumerate(task.selection.lines, first))


def _values(task: Task) -> Mapping[str, str]:
    return {"example": str((task.selection.first_line + task.selection.end_line) // 2 + 1)}


def _prepare(task: Task) -> Task:
    selection = task.selection
    if selection.end_line - selection.first_line > 1:
        return task
    return replace(task, selection=selection.of_lines(0, len(selection.redacted_lines)))


REVIEW = Action(
    name="review",
    title="Review this file",
    kind="source.review",
    prepare=_prepare,
    values=_values,
    shown=numbered,
)
