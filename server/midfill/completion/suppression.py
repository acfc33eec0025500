"""Where somebody wants no suggestions while typing: in comments, strings, some languages, some folders."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache

from pathspec import GitIgnoreSpec

from midfill.code.languages import language_of
from midfill.postprocess.lines import nearby
from midfill.postprocess.place import COMMENT, STRING, place_of
from midfill.prompt.context import Context

_SCHEME = re.compile(r"[a-zA-Z][\w+.-]+:/*")


def suppression_reason(
    text: str,
    offset: int,
    language: str,
    path: str,
    *,
    in_comments: bool,
    in_strings: bool,
    languages: Collection[str],
    folders: Sequence[str],
) -> str:
    """Return why the settings want nothing here: ``language``, ``folder``, ``comment`` or ``string``; "" if they do.

    Args:
        text: the whole document.
        offset: the cursor, in characters; clamped to the document.
        language: the LSP language id; "" when unknown.
        path: the document's path or URI.
        in_comments: whether to be quiet in comments.
        in_strings: whether to be quiet in strings, docstrings among them.
        languages: LSP language ids to be quiet in.
        folders: where to be quiet, in gitignore's syntax; a pattern may begin at any folder of the path.
    """
    if language.lower() in {each.lower() for each in languages}:
        return "language"
    if _is_in(path, tuple(folders)):
        return "folder"
    if not (in_comments or in_strings):
        return ""
    offset = min(max(offset, 0), len(text))
    around = nearby(Context(text[:offset], text[offset:], offset))
    place = place_of(around, language_of(path, language))
    wanted = {COMMENT: in_comments, STRING: in_strings}
    return place if wanted.get(place, False) else ""


def _is_in(path: str, folders: tuple[str, ...]) -> bool:
    parts = [part for part in _SCHEME.sub("", path, count=1).replace("\\", "/").split("/") if part]
    patterns = _patterns(folders)
    return bool(patterns) and any(
        spec.match_file("/".join(parts[start:])) for spec in patterns for start in range(len(parts))
    )


@lru_cache(16)
def _patterns(folders: tuple[str, ...]) -> tuple[GitIgnoreSpec, ...]:
    """Compile the patterns; ones that are none match nothing."""
    try:
        return (GitIgnoreSpec.from_lines(folders),) if folders else ()
    except ValueError:
        return () if len(folders) == 1 else tuple(spec for each in folders for spec in _patterns((each,)))
