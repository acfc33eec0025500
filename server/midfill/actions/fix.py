"""Fix: the mistake that a diagnostic, a compiler or a traceback reports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import PurePath

from midfill.actions.action import Action, ActionTask, Need, Place, Proves, with_definition
from midfill.actions.rewriting import declared, rewriting

_MAX_MESSAGE_LINES = 30
_FRAME = re.compile(
    r"""File "(?P<a>[^"\n]+)", line (?P<line>\d+)|(?<![^\s()"':])(?P<b>[^\s()"':]+):(?P<other_line>\d+)\b"""
)
_PYTEST_FRAME = re.compile(r"^[^\s:]+:\d+: in \S+$", re.MULTILINE)
_POINTERS = re.compile(r"^[ \t]*[~^][ \t~^]*\n", re.MULTILINE)
_ADDRESS = re.compile(r"<(?:bound method|built-in (?:function|method)|function) (?P<name>[\w.<>]+)(?: [^<>\n]*)?>")
_EXPECTED = re.compile(
    r"""^E[ ]+(?:AssertionError:[ ])?assert[ ](?P<got>.+?)[ ]==[ ](?P<wanted>.+)\n(?:E.*\n)*?
    E[ ]+\+[ ]+where[ ](?P=got)[ ]=[ ](?P<call>.+)$""",
    re.MULTILINE | re.VERBOSE,
)
"""A failed assertion in the form in which pytest explains it."""


def frames_in(message: str, path: str) -> list[int]:
    """Return the lines of a file, from 0, that a traceback names, the one where the error arose first.

    Python and pytest name the innermost frame last; other tools name it first.
    """
    frames = [m for m in _FRAME.finditer(message) if PurePath(m["a"] or m["b"]).name == PurePath(path).name]
    if not frames or not path:
        return []
    lines = [max(int(frame["line"] or frame["other_line"]) - 1, 0) for frame in frames]
    return lines[::-1] if frames[-1]["a"] or _PYTEST_FRAME.search(message) else lines


def line_of(message: str, path: str) -> int | None:
    """Return the line of a file, from 0, where a traceback says that the error arose; None if it does not name one."""
    return next(iter(frames_in(message, path)), None)


def document_of(message: str, paths: Iterable[str]) -> str | None:
    """Return which of these files a traceback names as the place of the error; None if it names none of them.

    Python names the innermost frame last; other tools name it first.
    """
    named = [path for path in paths if line_of(message, path) is not None]
    last = 'File "' in message
    named.sort(key=lambda path: -message.rfind(PurePath(path).name) if last else message.find(PurePath(path).name))
    return named[0] if named else None


def essence(message: str) -> str:
    """Return the last lines of a message, without addresses and pointers, and with a failed assertion in words."""
    text = _ADDRESS.sub(lambda found: found["name"], _POINTERS.sub("", message.strip() + "\n")).strip()
    expected = _EXPECTED.search(text)
    text = "\n".join(text.split("\n")[-_MAX_MESSAGE_LINES:])
    if expected:
        call, got, wanted = expected["call"], expected["got"], expected["wanted"]
        text += f"\n\n`{call}` gives `{got}`, but it must give `{wanted}`."
    return text


def _prepare(task: ActionTask) -> ActionTask:
    line = line_of(task.message, task.selection.path)
    if line is not None and task.whole_file:
        task = replace(task, selection=task.selection.of_lines(line, line + 1), whole_file=False)
    return with_definition(task)


def _values(task: ActionTask) -> Mapping[str, str]:
    selection = task.selection
    message = essence(task.message)
    within = [
        line
        for line in frames_in(task.message, selection.path)
        if selection.first_line <= line < selection.end_line and selection.redacted_lines[line].strip()
    ]
    if within:
        message += f"\n\nIt arises here: `{selection.redacted_lines[within[0]].strip()}`"
    return {"message": message}


FIX = Action(
    name="fix",
    title="Fix",
    kind="quickfix",
    proves=Proves.MENDS,
    needs=Need.MESSAGE,
    offered=frozenset({Place.DIAGNOSTIC}),
    locate=document_of,
    prepare=_prepare,
    values=_values,
    begin=declared,
    read=rewriting("signatures"),
    must_change=True,
)
