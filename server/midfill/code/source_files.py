"""Reading a source file. Binary, very large, minified and generated files are refused."""

from __future__ import annotations

import re
from pathlib import Path

from midfill.common.limits import MAX_LINE_CHARACTERS
from midfill.common.regular_file import read_regular

MAX_SOURCE_BYTES = 400_000
"""Maximum size of a source file in bytes."""
_MAX_AVERAGE_LINE_CHARACTERS = 240
"""Maximum average number of characters of a file's lines; minified code has longer lines."""
_HEAD_CHARACTERS = 2_000
"""Number of characters at the start of a file that may say that it is generated."""
_GENERATED = re.compile(
    r"@generated\b|\bcode generated .{0,80}\bdo not (?:edit|modify)|\bauto-?generated\b.{0,80}\bdo not (?:edit|modify)"
    r"|^.{0,20}\bdo not edit\b.{0,40}\bgenerated\b|\bfile (?:is|was|has been) (?:auto(?:matically)?[- ]?)generated"
    r"|<auto-?generated",
    re.IGNORECASE | re.MULTILINE,
)


def read_source(path: Path, max_bytes: int = MAX_SOURCE_BYTES) -> str | None:
    """Return a file's text as :func:`read_text` does; None also when the file is minified or generated."""
    text = read_text(path, max_bytes)
    return text if text is not None and is_handwritten(text) else None


def read_text(path: Path, max_bytes: int = MAX_SOURCE_BYTES) -> str | None:
    r"""Return a file's text with "\n" as line ending; a file that is not valid UTF-8 is read as Latin-1.

    None when the file is empty, cannot be read, is not a regular file, is larger than ``max_bytes``, or is binary.
    """
    try:
        data = read_regular(path, max_bytes)
    except (OSError, ValueError):
        return None
    if not data or b"\0" in data:
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def is_handwritten(text: str) -> bool:
    """Return whether a text looks written by hand: neither minified nor generated."""
    lines = text.split("\n")
    if len(text) > _MAX_AVERAGE_LINE_CHARACTERS * len(lines) or max(map(len, lines)) > MAX_LINE_CHARACTERS:
        return False
    head = text[:_HEAD_CHARACTERS]
    return "generated" not in head.lower() or not _GENERATED.search(head)
