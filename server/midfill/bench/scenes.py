"""What is typed: functions of the standard library, cut off at a statement and written again as they were.

Anyone has these files, so anyone can repeat a measurement with the same version of Python.
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
_SHORTEST = 5
"""Lines to type: a function with fewer left is passed over."""
_KEY = re.compile(r"\n[ \t]*|.")


@dataclass(frozen=True)
class Key:
    """One keystroke."""

    text: str
    """What it puts into the document: a character, or a newline with the indentation that editors add to it."""
    rest: str
    """What is still to be typed on the line."""


@dataclass(frozen=True)
class Scene:
    """A document with a cursor, and what its author types there."""

    path: str
    before: str
    """The document up to the cursor, which stands behind an indentation."""
    typed: str
    """What was cut out: from a statement to the end of its function."""
    after: str

    @property
    def text(self) -> str:
        """The document before anything is typed."""
        return self.before + self.after

    def keys(self, limit: int) -> list[Key]:
        """Return the first ``limit`` keystrokes that write what was cut out."""
        return [
            Key(found[0], self.typed[found.end() :].partition("\n")[0])
            for found, _ in zip(_KEY.finditer(self.typed), range(limit), strict=False)
        ]


def sources() -> list[tuple[str, str]]:
    """Return the paths within the standard library, and the texts, of what is measured with."""
    library = Path(sysconfig.get_path("stdlib"))
    return [(name, (library / name).read_text(encoding="utf-8")) for name in _SOURCES]


def scenes(count: int) -> list[Scene]:
    """Return up to ``count`` scenes, one of each source: the function in the middle of its file, cut in its middle."""
    found = [list(_cuts(path, text)) for path, text in sources()[:count]]
    return [cuts[len(cuts) // 2] for cuts in found if cuts]


def rhythm(keys: int, seconds: float, seed: int) -> list[float]:
    """Return the pause after each keystroke: ``seconds`` on average, evenly spread from half to half as much again.

    The same seed gives the same pauses, for ours and the peer's must be typed alike.
    """
    dice = random.Random(seed)  # noqa: S311 (typing keeps no secret)
    return [seconds * dice.uniform(0.5, 1.5) for _ in range(keys)]


def _cuts(path: str, text: str) -> Iterator[Scene]:
    lines = text.splitlines(keepends=True)
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef):
            continue
        body = node.body[1:] if ast.get_docstring(node) else node.body
        if not body:
            continue
        first, last = body[len(body) // 2].lineno - 1, node.end_lineno or 0
        if last - first < _SHORTEST:
            continue
        code = lines[first].lstrip()
        start = sum(map(len, lines[:first])) + len(lines[first]) - len(code)
        end = sum(map(len, lines[:last])) - 1  # the last line keeps its newline
        yield Scene(path, text[:start], text[start:end], text[end:])
