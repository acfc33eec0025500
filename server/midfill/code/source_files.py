"""Reading a source file: text that somebody wrote, of a size that somebody could have written."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

MOST_BYTES = 400_000
_LONGEST_LINE = 4_000
_LONGEST_AVERAGE = 240
"""Characters a line of a whole file: minified code has more."""
_HEAD = 2_000
_GENERATED = re.compile(
    r"@generated\b|\bcode generated .{0,80}\bdo not (?:edit|modify)|\bauto-?generated\b.{0,80}\bdo not (?:edit|modify)"
    r"|^.{0,20}\bdo not edit\b.{0,40}\bgenerated\b|\bfile (?:is|was|has been) (?:auto(?:matically)?[- ]?)generated"
    r"|<auto-?generated",
    re.IGNORECASE | re.MULTILINE,
)


def read_source(path: Path, most_bytes: int = MOST_BYTES) -> str | None:
    """Return a file's text as :func:`read_text` does, or None also when it is minified or generated."""
    text = read_text(path, most_bytes)
    return text if text is not None and is_handwritten(text) else None


def read_text(path: Path, most_bytes: int = MOST_BYTES) -> str | None:
    """Return a file's text with plain newlines; what is not UTF-8 is read as Latin-1.

    None when it is empty, cannot be read, is no regular file, is larger than ``most_bytes``, or binary.
    """
    try:
        with open(path, "rb", opener=_open) as file:
            status = os.fstat(file.fileno())
            data = file.read(most_bytes + 1) if stat.S_ISREG(status.st_mode) else b""
    except (OSError, ValueError):
        return None
    if not data or len(data) > most_bytes or b"\0" in data:
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def is_handwritten(text: str) -> bool:
    """Say whether a text looks as if somebody wrote it: neither minified nor generated."""
    lines = text.split("\n")
    if len(text) > _LONGEST_AVERAGE * len(lines) or max(map(len, lines)) > _LONGEST_LINE:
        return False
    return "generated" not in text[:_HEAD].lower() or not _GENERATED.search(text, 0, _HEAD)


def _open(path: str, flags: int) -> int:
    """Open without waiting, as for a pipe that nobody writes to."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
