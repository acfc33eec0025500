"""A list of patterns in gitignore's syntax: what the last one that matches a path says.

It decides as git's ``dir.c`` does, to the byte, but in bounded time: names and ends of names are looked up, and the
other patterns may have only so many bytes together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from midfill.privacy.wildmatch import NeverMatches, compile_wildcards, literal_length

MAX_WILDCARD_BYTES = 16_384
"""Maximum number of bytes of all patterns that cannot be looked up."""


@dataclass(frozen=True)
class _Wildcards:
    """A pattern that cannot be looked up."""

    number: int
    excludes: bool
    folders_only: bool
    of_name: bool
    """Whether it is about the last name of a path alone."""
    expression: re.Pattern[bytes]


class PatternList:
    """Patterns in their order. A list whose wildcards would take too long excludes everything, as the safe answer."""

    def __init__(self, lines: Iterable[bytes], *, ignore_case: bool = False) -> None:
        """Take the lines of an ignore file; comments and malformed patterns count for nothing, as in git.

        With ``ignore_case``, lines and paths must be in lower case.
        """
        self._found: dict[bool, dict[bytes, tuple[int, bool]]] = {False: {}, True: {}}
        """What can be looked up: the number of the pattern, and whether it excludes. The outer key is whether the
        pattern is about folders only. The inner key is a name, a path after a slash, or the end of a name after a
        star."""
        self._wildcards: list[_Wildcards] = []
        self.wildcard_bytes = 0
        """Number of bytes of the patterns that cannot be looked up."""
        for number, line in enumerate(lines):
            self._add(number, line, ignore_case=ignore_case)
            if self.wildcard_bytes > MAX_WILDCARD_BYTES:
                self._found[False], self._wildcards = {b"*": (number + 1, True)}, []
                break
        self._wildcards.reverse()
        self._lengths = sorted({len(key) - 1 for table in self._found.values() for key in table if key[:1] == b"*"})

    def decide(self, path: bytes, *, is_folder: bool) -> bool | None:
        """Return whether the last pattern that matches a path excludes it, or includes it; None if none matches.

        Args:
            path: the path relative to the folder that the patterns belong to, with forward slashes.
            is_folder: whether it is a folder, and no link.
        """
        name = path[path.rfind(b"/") + 1 :]
        keys = [name, b"/" + path, *(b"*" + name[len(name) - n :] for n in self._lengths if n <= len(name))]
        tables = self._found.values() if is_folder else (self._found[False],)
        last = max((table[key] for table in tables for key in keys if key in table), default=None)
        for pattern in self._wildcards:
            if last is not None and pattern.number < last[0]:
                break
            if (is_folder or not pattern.folders_only) and pattern.expression.fullmatch(
                name if pattern.of_name else path
            ):
                return pattern.excludes
        return None if last is None else last[1]

    def _add(self, number: int, line: bytes, *, ignore_case: bool) -> None:
        pattern = _without_trailing_spaces(line.partition(b"\0")[0])
        if pattern.startswith(b"#"):
            return
        excludes = not pattern.startswith(b"!")
        pattern = pattern if excludes else pattern[1:]
        folders_only = pattern.endswith(b"/")
        pattern = pattern[:-1] if folders_only else pattern
        of_name = b"/" not in pattern
        pattern = pattern.removeprefix(b"/")
        key = pattern if of_name else b"/" + pattern
        literal = key[1:] if key.startswith(b"*") else key
        if literal_length(literal) == len(literal):
            if pattern:
                self._found[folders_only][key] = (number, excludes)
            return
        self.wildcard_bytes += len(pattern)
        try:
            expression = compile_wildcards(pattern, ignore_case=ignore_case)
        except NeverMatches:
            return
        self._wildcards.append(_Wildcards(number, excludes, folders_only, of_name, expression))


def lines_of(data: bytes) -> list[bytes]:
    """Return the lines of an ignore file as git splits it."""
    return [line.removesuffix(b"\r") for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n")]


def to_bytes(text: str) -> bytes:
    """Return the bytes of a path or of a pattern from the settings, in which a byte may be written as a surrogate."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a character, which no name on a disk has
        return text.encode("utf-8", "surrogatepass")


def _without_trailing_spaces(line: bytes) -> bytes:
    """Return a line without the spaces at its end; one after a backslash stays."""
    kept = line.rstrip(b" ")
    is_escaped = (len(kept) - len(kept.rstrip(b"\\"))) % 2 == 1
    return line[: len(kept) + 1] if is_escaped else kept
