"""Suppression: the settings can turn off suggestions while typing in comments, strings, languages and folders."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache

from midfill.code.enclosures import COMMENT, STRING
from midfill.code.languages import language_of
from midfill.common.file_uri import MAX_PATH_CHARACTERS
from midfill.common.reasons import Reason
from midfill.postprocess.lines import MAX_NEARBY_CHARACTERS
from midfill.postprocess.place import place_of
from midfill.privacy.ignore_patterns import PatternList, to_bytes
from midfill.prompt.context import Context

_SCHEME = re.compile(r"\A[a-zA-Z][\w+.-]+:/*")


def suppression_reason(
    text: str,
    offset: int,
    language: str,
    paths: Sequence[str],
    *,
    in_comments: bool,
    in_strings: bool,
    languages: Collection[str],
    folders: Sequence[str],
) -> Reason:
    """Return why the settings suppress suggestions at a cursor; ``Reason.NONE`` if they do not.

    Args:
        text: the whole document.
        offset: the cursor, in characters; clamped to the document.
        language: the LSP language id; "" if it is unknown.
        paths: the document's path or URI, and other paths by which it is known.
        in_comments: whether suggestions are suppressed in comments.
        in_strings: the same for strings, docstrings included.
        languages: LSP ids of languages in which they are suppressed.
        folders: folders in which they are suppressed, as patterns of gitignore. A pattern may begin at any folder of
            the path.
    """
    if language.lower() in {each.lower() for each in languages}:
        return Reason.LANGUAGE
    if any(_is_in(path, tuple(folders)) for path in paths):
        return Reason.FOLDER
    if not (in_comments or in_strings):
        return Reason.NONE
    offset = min(max(offset, 0), len(text))
    before, after = text[max(offset - MAX_NEARBY_CHARACTERS, 0) : offset], text[offset : offset + MAX_NEARBY_CHARACTERS]
    around = Context(before, after, offset)
    place = place_of(around, language_of(paths[0], language))
    suppressed = {COMMENT: in_comments, STRING: in_strings}
    return Reason(place) if suppressed.get(place, False) else Reason.NONE


def _is_in(path: str, folders: tuple[str, ...]) -> bool:
    if not folders:
        return False
    parts = [part for part in _SCHEME.sub("", path, count=1).replace("\\", "/").split("/") if part]
    patterns, path = _patterns(folders), "/".join(parts)[:MAX_PATH_CHARACTERS]
    ends = [place for place, character in enumerate(path) if character == "/"]
    return any(patterns.decide(to_bytes(path[:end]), is_folder=end is not None) for end in (*ends, None))


@lru_cache(16)
def _patterns(folders: tuple[str, ...]) -> PatternList:
    return PatternList(to_bytes(_at_any_folder(pattern)) for pattern in folders)


def _at_any_folder(pattern: str) -> str:
    """Return a pattern that may begin at any folder of a path, as one without a slash does already."""
    negation, pattern = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
    return f"{negation}**/{pattern.lstrip('/')}" if "/" in pattern.rstrip("/ ") else f"{negation}{pattern}"
