"""Git's wildcards as regular expressions that take bounded time.

Git compares bytes: ``?`` and ``[...]`` stand for one byte other than ``/``, ``*`` for any number of these, and ``**``
between slashes for any number of whole folders. Git tries every place for every star, as ``.*a.*b`` does. So a pattern
with many stars takes years. But what follows a star, up to the next one, has a fixed length; and what follows a ``**``,
up to the next one, has a fixed number of folders. The first place where it matches leaves the most to the rest, so no
other place needs to be tried.

Therefore each star is an *independent group* together with what follows it: once it has matched, the engine does not
come back to it. Python's ``fnmatch`` does the same. A match takes at most as many steps as the product of the lengths
of the pattern and the path.
"""

from __future__ import annotations

import itertools
import re
import string
from collections.abc import Iterator

_SPECIAL = re.compile(rb"[*?\[\\]")
_STARS = re.compile(rb"\*+")
_IN_FOLDER = rb"[^/]"
_SLASH, _END, _EVERYTHING = b"/", rb"\Z", b".*"
_STAR, _FOLDERS = rb"[^/]*?", rb"(?:[^/]*/)*?"
"""A star, and a ``**`` with its slash. Both match as little as possible."""
_CLASSES = {
    b"alnum": string.ascii_letters + string.digits,
    b"alpha": string.ascii_letters,
    b"blank": " \t",
    b"cntrl": "".join(map(chr, [*range(32), 127])),
    b"digit": string.digits,
    b"graph": string.ascii_letters + string.digits + string.punctuation,
    b"lower": string.ascii_lowercase,
    b"print": string.ascii_letters + string.digits + string.punctuation + " ",
    b"punct": string.punctuation,
    b"space": " \t\n\r",
    b"upper": string.ascii_uppercase,
    b"xdigit": string.hexdigits,
}
"""The members of classes such as ``[:alpha:]``, as git has them."""


class NeverMatches(Exception):
    """A pattern is malformed; git finds nothing that matches it."""


def literal_length(pattern: bytes) -> int:
    """Return the number of bytes before the first special character."""
    special = _SPECIAL.search(pattern)
    return special.start() if special else len(pattern)


def compile_wildcards(pattern: bytes, *, ignore_case: bool = False) -> re.Pattern[bytes]:
    """Return the expression that matches the whole paths which a pattern matches.

    As git does, it compares the bytes before the first special character apart: a ``**`` right after them counts as one
    between slashes.

    Args:
        pattern: a pattern without the mark of a negation and without the slashes at its ends.
        ignore_case: whether the pattern and the paths were put into lower case.

    Raises:
        NeverMatches: the pattern is malformed.
    """
    start = literal_length(pattern)
    tokens = [*_tokens(pattern[start:], ignore_case=ignore_case)]
    if tokens[-1:] != [_EVERYTHING]:
        tokens.append(_END)
    names = (b"g%d" % number for number in itertools.count())
    # Each part ends with a slash, but the last one: a `**` stands after a slash.
    first, *others = (_part(part, names) for part in _split(tokens, _FOLDERS))
    middle = [_independent(_FOLDERS + part, names) for part in others[:-1] if part]
    last = [_FOLDERS + part for part in others[-1:]]
    return re.compile(b"".join([re.escape(pattern[:start]), first, *middle, *last]), re.DOTALL)


def _part(tokens: list[bytes], names: Iterator[bytes]) -> bytes:
    """Return the expression of tokens without a ``**``."""
    written, group = [], b""
    for token in tokens:
        if group and token == _STAR:
            written.append(_independent(group, names))
            group = b""
        if group or token == _STAR:
            group += token
        else:
            written.append(token)
        if group and token in (_SLASH, _END):
            written.append(_independent(group, names))
            group = b""
    return b"".join(written)


def _independent(expression: bytes, names: Iterator[bytes]) -> bytes:
    """Return an expression that, once it has matched, is not tried again. Python has ``(?>...)`` from 3.11 on."""
    name = next(names)
    return b"(?=(?P<%b>%b))(?P=%b)" % (name, expression, name)


def _split(tokens: list[bytes], separator: bytes) -> list[list[bytes]]:
    parts: list[list[bytes]] = [[]]
    for token in tokens:
        if token == separator:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _tokens(pattern: bytes, *, ignore_case: bool) -> Iterator[bytes]:
    """Yield an expression for each wildcard and each other byte."""
    place = 0
    while place < len(pattern):
        byte = pattern[place : place + 1]
        stars = _STARS.match(pattern, place)
        if stars:
            ahead = pattern[stars.end() : stars.end() + 2]
            is_whole = len(stars[0]) > 1 and (place == 0 or pattern[place - 1 : place] == b"/")
            place = stars.end()
            if is_whole and not ahead:
                yield _EVERYTHING
            elif is_whole and ahead[:1] == b"/":
                place += 1
                yield _FOLDERS
            elif is_whole and ahead == rb"\/":  # git then wants at least one folder
                place += 2
                yield from (_STAR, _SLASH, _FOLDERS)
            else:
                yield _STAR
        elif byte == b"[":
            expression, place = _bracket(pattern, place + 1, ignore_case=ignore_case)
            yield expression
        elif byte == b"?":
            place += 1
            yield _IN_FOLDER
        else:
            place += byte == b"\\"
            yield re.escape(_byte(pattern, place))
            place += 1


def _bracket(pattern: bytes, place: int, *, ignore_case: bool) -> tuple[bytes, int]:
    """Return the expression of a bracket whose ``[`` stands before ``place``, and the place after its ``]``."""
    negated = pattern[place : place + 1] in (b"!", b"^")
    place += negated
    members: set[int] = set()
    before = b""
    """The byte before a ``-``, with which a range begins; empty after a range or a class."""
    while True:
        byte = _byte(pattern, place)
        colon = pattern.find(b"]", place + 2) - 1
        if byte == b"\\":
            place += 1
            before = _byte(pattern, place)
            members.add(ord(before))
        elif byte == b"-" and before and pattern[place + 1 : place + 2] not in (b"", b"]"):
            place += 1 + (pattern[place + 1 : place + 2] == b"\\")
            members.update(range(ord(before), ord(_byte(pattern, place)) + 1))
            before = b""
        elif pattern[place : place + 2] == b"[:" and colon < 0:
            raise NeverMatches
        elif pattern[place : place + 2] == b"[:" and colon > place + 1 and pattern[colon : colon + 1] == b":":
            members.update(_class(pattern[place + 2 : colon], ignore_case=ignore_case))
            place = colon + 1
            before = b""
        else:
            before = byte
            members.add(ord(byte))
        place += 1
        if _byte(pattern, place) == b"]":
            break
    members = members | {ord("/")} if negated else members - {ord("/")}
    if not members:
        raise NeverMatches
    return b"[%b%b]" % (b"^" if negated else b"", b"".join(b"\\x%02x" % byte for byte in sorted(members))), place + 1


def _class(name: bytes, *, ignore_case: bool) -> bytes:
    if ignore_case and name == b"upper":
        name = b"alpha"
    if name not in _CLASSES:
        raise NeverMatches
    return _CLASSES[name].encode()


def _byte(pattern: bytes, place: int) -> bytes:
    if place >= len(pattern):
        raise NeverMatches
    return pattern[place : place + 1]
