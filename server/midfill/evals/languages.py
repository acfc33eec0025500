"""One line in a file of each language: the rest of a statement that is begun, or a whole one.

The files are those that this machine has (:mod:`midfill.evals.sources`), so figures of two machines can be compared
only as far as these have the same packages.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from midfill.code.languages import Language
from midfill.evals.sources import INSTALLED, pick
from midfill.evals.tasks import EvalTask

NAMES = tuple(language.name for language in INSTALLED)

_FILES = 10
"""Of each language; in each, one statement is begun and another one is asked for whole."""
_MIN_CHARACTERS, _MAX_CHARACTERS = 12, 100
"""Characters of a statement without its indentation."""
_MIN_REST_CHARACTERS = 4
_PLACE = re.compile(r"(?<=\w)(?=\W)|(?<=[^\w\s])(?=\w)|(?<=\s)(?=\S)")
"""Where somebody may look for help within a statement: at the end of a word, and before the next one."""
_COMMENTS = ("#", "//", "/*", "*", "--", '"', "'", "<!--", ";")
"""Beginnings of lines of most languages' comments, of text, and of what says little."""


def tasks(roots: Sequence[Path] | None = None) -> list[EvalTask]:
    """Return the tasks of all languages that there are files of, language by language; see :func:`.sources.pick`."""
    return [task for language in INSTALLED for task in _of(language, roots)]


def _of(language: Language, roots: Sequence[Path] | None) -> Iterator[EvalTask]:
    for file, text in pick(language, _FILES, roots):
        rng = random.Random(f"{language.name}/{file.name}")  # noqa: S311 (a sample keeps no secret)
        lines = list(_statements(text))
        for begun, (start, end) in zip((False, True), rng.sample(lines, min(2, len(lines))), strict=False):
            places = [place for place in _places(text, start, end) if begun]
            cut = rng.choice(places) if places else start
            yield EvalTask(
                name=f"{language.name}/{file.name}:{text.count(chr(10), 0, start) + 1}:{cut - start + 1}",
                path=file.name,
                prefix=text[:cut],
                suffix=text[end:],
                expected=text[cut:end],
                language=language.ids[0],
                group=language.name,
            )


def _statements(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the code of a line starts and ends, of each line that says something."""
    start = 0
    for line in text.split("\n"):
        code = line.strip()
        if (
            _MIN_CHARACTERS <= len(code) <= _MAX_CHARACTERS
            and not code.startswith(_COMMENTS)
            and re.search(r"\w{2}", code)
        ):
            begin = start + len(line) - len(line.lstrip())
            yield begin, begin + len(code)
        start += len(line) + 1


def _places(text: str, start: int, end: int) -> Iterator[int]:
    """Yield where in a statement a cursor may stand, with something before and behind it."""
    for found in _PLACE.finditer(text, start, end):
        if (
            found.start() - start >= _MIN_REST_CHARACTERS
            and len(text[found.start() : end].strip()) >= _MIN_REST_CHARACTERS
        ):
            yield found.start()
