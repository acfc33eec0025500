"""The typed text: functions of Python's standard library, cut off at a statement and typed again as they were.

Everyone has these files, so everyone can repeat a measurement with the same version of Python.
"""

from __future__ import annotations

import ast
import random
import re
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SOURCES = ("argparse.py", "textwrap.py", "json/decoder.py", "dataclasses.py", "heapq.py", "statistics.py")
_MIN_LINES = 5
"""Minimum number of lines to type. A function with fewer lines after the cut is not used."""
_KEY = re.compile(r"\n[ \t]*|.")


@dataclass(frozen=True)
class Key:
    """One keystroke."""

    text: str
    """The inserted text: a character, or a newline with the indentation that editors add to it."""
    rest: str
    """The rest of the line, which is still to be typed."""


@dataclass(frozen=True)
class Scene:
    """A document with a cursor, and the text that is typed there."""

    path: str
    before: str
    """The document before the cursor. It ends with the indentation of the cursor's line."""
    typed: str
    """The text that was cut out: from a statement to the end of its function."""
    after: str
    """The document after the cursor."""

    @property
    def text(self) -> str:
        """The document before the first keystroke."""
        return self.before + self.after

    def keys(self, limit: int) -> list[Key]:
        """Return the first ``limit`` keystrokes of the typed text."""
        return [
            Key(found[0], self.typed[found.end() :].partition("\n")[0])
            for found, _ in zip(_KEY.finditer(self.typed), range(limit), strict=False)
        ]


def sources() -> list[tuple[str, str]]:
    """Return the paths, relative to the standard library's folder, and the texts of the files."""
    library = Path(sysconfig.get_path("stdlib"))
    return [(name, (library / name).read_text(encoding="utf-8")) for name in _SOURCES]


def scenes(count: int) -> list[Scene]:
    """Return up to ``count`` scenes, one of each file: the function in the middle of the file, cut in its middle."""
    found = [list(_cuts(path, text)) for path, text in sources()[:count]]
    return [cuts[len(cuts) // 2] for cuts in found if cuts]


def all_scenes() -> list[Scene]:
    """Return the scenes of all functions of all files that are long enough."""
    return [scene for path, text in sources() for scene in _cuts(path, text)]


def typing_pauses(keys: int, seconds: float, seed: int) -> list[float]:
    """Return the pause after each keystroke, in seconds: uniformly random from 0.5 to 1.5 times ``seconds``.

    The same seed gives the same pauses, so that both sides are typed into alike.
    """
    rng = random.Random(seed)  # noqa: S311 (not used for security)
    return [seconds * rng.uniform(0.5, 1.5) for _ in range(keys)]


def _cuts(path: str, text: str) -> Iterator[Scene]:
    lines = text.splitlines(keepends=True)
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef):
            continue
        body = node.body[1:] if ast.get_docstring(node) else node.body
        if not body:
            continue
        first, last = body[len(body) // 2].lineno - 1, node.end_lineno or 0
        if last - first < _MIN_LINES:
            continue
        code = lines[first].lstrip()
        start = sum(map(len, lines[:first])) + len(lines[first]) - len(code)
        end = sum(map(len, lines[:last])) - 1  # the last line keeps its newline
        yield Scene(path, text[:start], text[start:end], text[end:])
