"""Fix: what a diagnostic, a compiler or a traceback complains of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath

from midfill.actions.action import Action, Task, in_code, with_definition
from midfill.actions.rewriting import rewriting

_MOST_LINES = 30
_FRAME = re.compile(r'(?:File "(?P<a>[^"\n]+)", line (?P<line>\d+)|(?P<b>[^\s()"\':]+):(?P<other_line>\d+)\b)')


def line_of(message: str, path: str) -> int | None:
    """Return the line, from 0, at which a traceback says that the error arose in a file; None when it does not say.

    Python names the innermost frame last, others first.
    """
    frames = [m for m in _FRAME.finditer(message) if PurePath(m["a"] or m["b"]).name == PurePath(path).name]
    if not frames or not path:
        return None
    frame = frames[-1] if frames[-1]["a"] else frames[0]
    return max(int(frame["line"] or frame["other_line"]) - 1, 0)


def _prepare(task: Task) -> Task:
    line = line_of(task.message, task.selection.path)
    if line is not None and task.whole_file:
        task = replace(task, selection=task.selection.of_lines(line, line + 1), whole_file=False)
    return with_definition(task)


def _values(task: Task) -> Mapping[str, str]:
    message = "\n".join(task.message.strip().split("\n")[-_MOST_LINES:])
    line = line_of(task.message, task.selection.path)
    lines = task.selection.redacted_lines
    if line is not None and task.selection.first_line <= line < task.selection.end_line and lines[line].strip():
        message += f"\n\nIt arises here: `{lines[line].strip()}`"
    return {"message": message}


FIX = Action(
    name="fix",
    title="Fix",
    kind="quickfix",
    needs="message",
    prepare=_prepare,
    values=_values,
    begin=in_code,
    read=rewriting("signatures"),
)
