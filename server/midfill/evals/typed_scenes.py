"""The scenes of the suite ``replay``: the Python functions that ``bench`` types, and functions in other languages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from midfill.bench.scenes import Scene
from midfill.bench.scenes import scenes as python_scenes
from midfill.code.languages import Language
from midfill.code.syntax import Syntax
from midfill.evals.sources import INSTALLED, pick

_PYTHON_SCENES = 6
_OTHERS = ("JavaScript", "TypeScript", "Java", "C", "C++", "Go", "Rust", "Lua", "Shell", "PHP")
_FILES = 5
"""Number of files of a language that are searched for a function."""
_MIN_LINES = 8
"""Minimum number of lines of a function."""


def scenes() -> list[Scene]:
    """Return a scene of each of six Python files, and a scene of each other language that this machine has files of.

    Python and the other languages take turns, so the first few scenes are in several languages.
    """
    other = [scene for language in INSTALLED if language.name in _OTHERS if (scene := scene_of(language))]
    python = python_scenes(_PYTHON_SCENES)
    in_turn = [scene for pair in zip(python, other, strict=False) for scene in pair]
    return [*in_turn, *python[len(other) :], *other[len(python) :]]


def scene_of(language: Language, roots: Sequence[Path] | None = None) -> Scene | None:
    """Return the function in the middle of a file, cut in its middle; None if no file has a function long enough.

    See :func:`.sources.pick` for ``roots``.
    """
    for file, text in pick(language, _FILES, roots):
        cuts = list(_cuts(file.name, text, language))
        if cuts:
            return cuts[len(cuts) // 2]
    return None


def _cuts(path: str, text: str, language: Language) -> Iterator[Scene]:
    lines = text.splitlines(keepends=True)
    for definition in Syntax(text, language).definitions():
        first, last = definition.first_line, definition.last_line
        if definition.kind != "function" or last - first < _MIN_LINES or last >= len(lines):
            continue
        middle = (first + last) // 2
        code = lines[middle].lstrip()
        if not code or code.startswith((language.line_comment or "//", "/*", "*", "}")):
            continue
        start = sum(map(len, lines[:middle])) + len(lines[middle]) - len(code)
        end = sum(map(len, lines[: last + 1])) - lines[last].endswith("\n")
        yield Scene(path, text[:start], text[start:end], text[end:])
