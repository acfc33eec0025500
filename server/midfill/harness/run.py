"""Runs the steps of a script, and checks what they expect."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from midfill.common.errors import MidfillError
from midfill.harness.editor import HeadlessEditor
from midfill.harness.script import CURSOR, Step

_MAX_QUOTED_CHARACTERS = 160
"""Maximum length of a text that a message quotes."""


@dataclass(frozen=True)
class Failure:
    """The first step of a script that failed."""

    number: int
    """The step's number, counted from 1."""
    step: Step
    message: str
    """Why it failed."""


def run_script(steps: Sequence[Step], bundle: Path | None = None) -> Failure | None:
    """Run steps until one fails; return None if none does."""
    with (
        tempfile.TemporaryDirectory(prefix="midfill-harness-") as folder,
        HeadlessEditor(Path(folder), bundle) as editor,
    ):
        for number, step in enumerate(steps, 1):
            if message := run_step(editor, step):
                return Failure(number, step, message)
    return None


def run_step(editor: HeadlessEditor, step: Step) -> str | None:
    """Run one step; return one sentence on why it failed, or None."""
    try:
        if step.verb == "set":
            editor.set(dict(step.values))
        elif step.verb != "expect":
            getattr(editor, step.verb)(**step.values)
        else:
            for name, expected in step.values.items():
                if difference := _EXPECTATIONS[name](editor, expected):
                    return f"{difference}{_last_message(editor)}."
    except MidfillError as error:
        return str(error)
    return None


def _last_message(editor: HeadlessEditor) -> str:
    """Return the last message that the server showed to the user; it may explain the failure."""
    messages = editor.session.messages
    return f"; the server says: {messages[-1].rstrip('.')}" if messages else ""


def _shown(editor: HeadlessEditor, expected: bool) -> str | None:
    if bool(editor.suggestions) == expected:
        return None
    return _nothing(editor) if expected else f"{_quoted(editor.suggestions[0].text)} is shown"


def _of_suggestion(is_so: Callable[[str, Any], bool], words: str) -> Callable[[HeadlessEditor, Any], str | None]:
    """Return a check of the first suggestion; ``words`` describe the difference, such as "does not start with"."""

    def check(editor: HeadlessEditor, expected: Any) -> str | None:
        if not editor.suggestions:
            return _nothing(editor)
        text = editor.suggestions[0].text
        return None if is_so(text, expected) else f"the suggestion {_quoted(text)} {words} {_quoted(expected)}"

    return check


def _alternatives(editor: HeadlessEditor, expected: int) -> str | None:
    count = len(editor.suggestions)
    there = "there is 1 suggestion" if count == 1 else f"there are {count} suggestions"
    return None if count >= expected else f"{there}, not {expected} or more"


def _reason(editor: HeadlessEditor, expected: str) -> str | None:
    if editor.suggestions:
        return f"{_quoted(editor.suggestions[0].text)} is shown"
    return None if editor.reason == expected else f"nothing is shown because of {editor.reason!r}, not {expected!r}"


def _document(editor: HeadlessEditor, expected: str) -> str | None:
    document = editor.document
    marked = f"{document.text[: document.cursor]}{CURSOR}{document.text[document.cursor :]}"
    found = marked if CURSOR in expected else document.text
    if found == expected:
        return None
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(found, expected, strict=False)))
    line = found.count("\n", 0, same) + 1
    return f"the document differs from line {line} on: {_quoted(found[same:])}, not {_quoted(expected[same:])}"


def _document_contains(editor: HeadlessEditor, expected: str) -> str | None:
    return None if expected in editor.document.text else f"the document has no {_quoted(expected)}"


def _answer(editor: HeadlessEditor, expected: str) -> str | None:
    return (
        None
        if expected in editor.answer
        else f"the answer {_quoted(editor.answer)} does not contain {_quoted(expected)}"
    )


def _applied(editor: HeadlessEditor, expected: bool) -> str | None:
    if editor.applied == expected:
        return None
    because = f" ({editor.reason})" if editor.reason else ""
    return f"the action has edited {'nothing' if expected else 'the document'}{because}"


def _prompt(editor: HeadlessEditor, expected: str) -> str | None:
    report = str(editor.execute("midfill.why", [1]))
    return None if expected in report.partition("## Prompt")[2] else f"the last prompt has no {_quoted(expected)}"


def _message(editor: HeadlessEditor, expected: str) -> str | None:
    return None if editor.session.wait_for_message(expected) else f"no message has {_quoted(expected)}"


_EXPECTATIONS: Mapping[str, Callable[[HeadlessEditor, Any], str | None]] = {
    "shown": _shown,
    "suggestion": _of_suggestion(lambda text, expected: text == expected, "is not"),
    "starts": _of_suggestion(lambda text, expected: text.startswith(expected), "does not start with"),
    "contains": _of_suggestion(lambda text, expected: expected in text, "does not contain"),
    "lines": _of_suggestion(
        lambda text, expected: len(text.splitlines()) == expected, "does not have this number of lines:"
    ),
    "alternatives": _alternatives,
    "reason": _reason,
    "document": _document,
    "documentContains": _document_contains,
    "answer": _answer,
    "applied": _applied,
    "prompt": _prompt,
    "message": _message,
}


def _nothing(editor: HeadlessEditor) -> str:
    return f"nothing is shown ({editor.reason})" if editor.reason else "nothing is shown"


def _quoted(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_QUOTED_CHARACTERS else f"{text[:_MAX_QUOTED_CHARACTERS]}…"
