"""The suite ``languages``: in files of each language, the rest of a statement or a whole statement is cut out.

The files are those of this machine (:mod:`midfill.evals.sources`). So figures of two machines can be compared only if
the same packages are installed on both.
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
"""Number of files of each language. In each file, one whole statement is cut out, and the rest of another one."""
_MIN_CHARACTERS, _MAX_CHARACTERS = 12, 100
"""Length of a statement without its indentation."""
_MIN_REST_CHARACTERS = 4
"""Minimum number of characters before and after the cut of a statement."""
_PLACE = re.compile(r"(?<=\w)(?=\W)|(?<=[^\w\s])(?=\w)|(?<=\s)(?=\S)")
"""Where a statement may be cut: at the end of a word, and at the start of the next one."""
_COMMENTS = ("#", "//", "/*", "*", "--", '"', "'", "<!--", ";")
"""Beginnings of lines that are not code: comments of most languages, and texts."""


def tasks(roots: Sequence[Path] | None = None) -> list[EvalTask]:
    """Return the tasks of all languages, one language after the other; see :func:`.sources.pick` for ``roots``."""
    return [task for language in INSTALLED for task in _of(language, roots)]


def _of(language: Language, roots: Sequence[Path] | None) -> Iterator[EvalTask]:
    for file, text in pick(language, _FILES, roots):
        rng = random.Random(f"{language.name}/{file.name}")  # noqa: S311 (not used for security)
        lines = list(_statements(text))
        for in_two, (start, end) in zip((False, True), rng.sample(lines, min(2, len(lines))), strict=False):
            places = [place for place in _places(text, start, end) if in_two]
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
    """Yield the start and the end of the code of each line that is a statement."""
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
    """Yield the places within a statement where it may be cut."""
    for found in _PLACE.finditer(text, start, end):
        if (
            found.start() - start >= _MIN_REST_CHARACTERS
            and len(text[found.start() : end].strip()) >= _MIN_REST_CHARACTERS
        ):
            yield found.start()
