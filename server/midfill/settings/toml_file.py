"""Reading a file of settings in TOML that anybody may have written: in bounded time, with faults in plain words."""

from __future__ import annotations

import re
import sys
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MAX_BYTES = 32_768
"""Maximum size of a file of settings."""
_MAX_LINE_CHARACTERS = 1_000
"""Maximum length of a line. Parsing a key of a few thousand parts would take tomllib long."""
_TOML_LINE = re.compile(r"at line (\d+)")


def parse(data: bytes) -> dict[str, Any]:
    """Return the values in the bytes of a file.

    Raises:
        ValueError: it is not UTF-8 or not TOML; the message is a clause that says where, and what to do.
    """
    text = _decoded(data)
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > _MAX_LINE_CHARACTERS:
            raise ValueError(
                f"line {number} has more than {_MAX_LINE_CHARACTERS} characters; a list may have several lines"
            )
    try:
        values: dict[str, Any] = tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError as error:  # tomllib's error is a ValueError; a number with too many digits raises a plain one
        found = _TOML_LINE.search(str(error))
        place = found[1] if found else text.count("\n") + 1  # tomllib says "at end of document" instead of a line
        raise ValueError(f"line {place} is not valid TOML; write `name = value`, with text in quotes") from None
    return values


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {line} is not UTF-8; save the file as UTF-8") from None
