"""Likely new texts of a window, without a model: the latest changes, made here too. The model then judges them."""

from __future__ import annotations

from collections.abc import Sequence

from midfill.next_edit.examples import LATEST, Example, examples
from midfill.next_edit.scopes import ScopedRename, scoped_renames
from midfill.next_edit.types import Document, Hunk
from midfill.next_edit.window import Window


def guess(document: Document, window: Window, history: Sequence[Hunk]) -> str | None:
    """Return a window of a document with the latest changes made in it; None if they do not change it."""
    latest = history[-LATEST:]
    known = examples(latest)
    renames = scoped_renames(document, latest)
    own = [hunk for hunk in latest if hunk.path == document.path]
    done = {line - window.first_line for hunk in own for line in range(hunk.first_line, hunk.end_line)}
    lines = [_renamed(line, window.first_line + at, renames) for at, line in enumerate(window.text.split("\n"))]
    guessed: list[str] = []
    at = 0
    while at < len(lines):
        read, written = (1, lines[at : at + 1]) if at in done else _made_at(lines, at, known)
        guessed += written
        at += read
    text = "\n".join(guessed)
    return text if text != window.text else None


def _renamed(line: str, number: int, renames: Sequence[ScopedRename]) -> str:
    """Return a line of a document with the renames that hold in it."""
    for scoped in renames:
        if scoped.covers(number):
            line = scoped.rename.apply(line)
    return line


def _made_at(lines: Sequence[str], at: int, known: Sequence[Example]) -> tuple[int, Sequence[str]]:
    """Return how many lines an example changes at a place, and what they become; else the line as it is."""
    for example in known:
        own = lines[at : at + len(example.old)]
        if len(own) == len(example.old) and (written := example.made_in(own)) is not None:
            return len(own), written
    return 1, lines[at : at + 1]
