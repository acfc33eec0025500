"""No suggestions while typing where the settings say so: in comments, strings, some languages, some folders."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache

from pathspec import GitIgnoreSpec

from midfill.code.languages import language_of
from midfill.common.reasons import Reason
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
) -> Reason:
    """Return why the settings want no suggestion here while somebody types; ``Reason.NONE`` if they want one.

    Args:
        text: the whole document.
        offset: the cursor, in characters; clamped to the document.
        language: the LSP language id; "" when unknown.
        path: the document's path or URI.
        in_comments: whether comments get no suggestions.
        in_strings: whether strings, also docstrings, get no suggestions.
        languages: LSP language ids that get no suggestions.
        folders: folders that get no suggestions, as patterns of gitignore. A pattern may begin at any folder of
            the path.
    """
    if language.lower() in {each.lower() for each in languages}:
        return Reason.LANGUAGE
    if _is_in(path, tuple(folders)):
        return Reason.FOLDER
    if not (in_comments or in_strings):
        return Reason.NONE
    offset = min(max(offset, 0), len(text))
    around = nearby(Context(text[:offset], text[offset:], offset))
    place = place_of(around, language_of(path, language))
    wanted = {COMMENT: in_comments, STRING: in_strings}
    return Reason(place) if wanted.get(place, False) else Reason.NONE


def _is_in(path: str, folders: tuple[str, ...]) -> bool:
    parts = [part for part in _SCHEME.sub("", path, count=1).replace("\\", "/").split("/") if part]
    patterns = _patterns(folders)
    return bool(patterns) and any(
        spec.match_file("/".join(parts[start:])) for spec in patterns for start in range(len(parts))
    )


@lru_cache(16)
def _patterns(folders: tuple[str, ...]) -> tuple[GitIgnoreSpec, ...]:
    """Compile the patterns. An invalid one matches nothing."""
    try:
        return (GitIgnoreSpec.from_lines(folders),) if folders else ()
    except ValueError:
        return () if len(folders) == 1 else tuple(spec for each in folders for spec in _patterns((each,)))
