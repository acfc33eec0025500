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
_PART = 5_000
"""Characters of code, some 1,400 tokens, that are reviewed at a time."""


@dataclass(frozen=True)
class Finding:
    """Something that may be wrong."""

    line: int
    """From 0."""
    text: str


def findings(answer: str, task: Task) -> list[Finding]:
    """Return what a review found in the lines it was shown, in their order; the first of several that say the same."""
    first, end = task.selection.first_line, task.selection.end_line
    found: dict[str, Finding] = {}
    for match in _FINDING.finditer(answer):
        line, text = int(match["line"]) - 1, match["text"].strip("` ")
        if first <= line < end and task.selection.redacted_lines[line].strip() and text.lower() != "none":
            found.setdefault(text, Finding(line, text))
    return sorted(found.values(), key=lambda finding: finding.line)


def numbered(task: Task) -> str:
    """Return the selected lines with their numbers, as people count them."""
    first = task.selection.first_line + 1
    return "\n".join(f"{number:>4} {line}".rstrip() for number, line in enumerate(task.selection.lines, first))


def _parts(task: Task) -> list[Task]:
    """Cut the lines where definitions begin, if possible, into parts that a small model can attend to."""
    selection = task.selection
    starts = {definition.first_line for definition in selection.syntax.definitions() if definition.kind != "constant"}
    cuts, size, best = [selection.first_line], 0, 0
    for number, line in enumerate(selection.lines, selection.first_line):
        if number in starts and size > _PART // 3:
            best = number
        if size + len(line) > _PART and number > cuts[-1]:
            cut = best if best > cuts[-1] else number
            size = sum(len(line) + 1 for line in selection.redacted_lines[cut:number])
            cuts.append(cut)
        size += len(line) + 1
    ends = [*cuts[1:], selection.end_line]
    return [replace(task, selection=selection.of_lines(*lines)) for lines in zip(cuts, ends, strict=True)]


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
    kind="source.midfill.review",
    prepare=_prepare,
    parts=_parts,
    values=_values,
    shown=numbered,
)
