"""Finds the secrets in a text and replaces each by a placeholder.

Why not a library: detect-secrets 1.5 and its fork open a socket on import (their HTTP client checks for IPv6), report
that a line has a secret but not where, and miss a private key whose first lines are cut off. The key formats that its
detectors know are also known to :mod:`~midfill.privacy.secret_patterns`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache

from midfill.privacy.secret_patterns import (
    BASE64_KEY,
    NAME_HINT,
    NAMED_SECRETS,
    SECRET_FORMATS,
    entropy,
    looks_secret,
)

_MAX_CACHED_LINES = 1 << 12
_PIECE_CHARACTERS, _OVERLAP_CHARACTERS = 4_000, 1_000
"""A long line is searched in pieces, because the patterns of names take a time that grows with the square of it."""
_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-\d")
_END = re.compile(r"-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|Private-MAC:")
_KEY_LINE = re.compile(
    r"^[^\S\n]*(?:[\"'+][^\S\n]*){0,3}(?P<body>[A-Za-z0-9+/]{60,76}={0,2})(?:\\n)?[\"'+;,)\\ \t]{0,6}$", re.MULTILINE
)
_LAST_KEY_LINE = re.compile(r"[^\S\n]*[\"'+]?[A-Za-z0-9+/]{4,76}={0,2}(?:\\n)?[\"'+;,)\\ \t]{0,6}")
_MAX_KEY_LINES = 200
"""Maximum number of lines of a private key; a BEGIN without an END hides at most so many lines."""
_MIN_KEY_LINES = 3
"""Minimum number of consecutive base64 lines that count as part of a private key without BEGIN and END."""
_HIDDEN_KEY_LINES = ("", "private-key")
"""Key lines, without their indentation and angle brackets, that have nothing left to hide."""

_Secret = tuple[int, int, str]
"""A secret's start, end and kind."""


@dataclass(frozen=True)
class Span:
    """A secret in the original text."""

    start: int
    end: int
    kind: str
    """The kind of secret, such as ``github-token``."""
    placeholder: str
    """The text that replaces it: its kind in angle brackets."""


@dataclass(frozen=True)
class Redacted:
    """A text without its secrets; it has the same number of lines as the original."""

    text: str
    spans: tuple[Span, ...]

    def offset(self, original: int) -> int:
        """Convert an offset of the original text; one inside a secret becomes the end of its placeholder."""
        before = self.spans[: bisect_left(self.spans, original, key=lambda span: span.start)]
        if not before:
            return original
        shift = sum(len(span.placeholder) - (span.end - span.start) for span in before)
        return max(original, before[-1].end) + shift


def redact(text: str) -> Redacted:
    """Replace every secret of ``text`` by its kind in angle brackets; quotes, names and line endings stay.

    It takes less than a millisecond for 8,000 characters of ordinary code. Lines with a name such as ``password`` take
    longer, so their results are cached.
    """
    lines = _lines(text)
    found = [*_key_lines(text, lines), *_by_format(text), *_by_name(text)]
    spans: list[Span] = []
    for start, end, kind in sorted(found, key=lambda secret: (secret[0], -secret[1])):
        if not spans or start >= spans[-1].end:
            spans.append(Span(start, end, kind, f"<{kind}>"))
        elif end > spans[-1].end:  # it begins within another one
            spans[-1] = Span(spans[-1].start, end, spans[-1].kind, spans[-1].placeholder)
    return Redacted(_replaced(text, spans), tuple(spans))


def _replaced(text: str, spans: list[Span]) -> str:
    parts: list[str] = []
    end = 0
    for span in spans:
        parts += (text[end : span.start], span.placeholder)
        end = span.end
    return "".join((*parts, text[end:]))


def _lines(text: str) -> list[tuple[int, int]]:
    """Return the start and the end of each line."""
    ends = [match.start() for match in re.finditer("\n", text)]
    return list(zip([0, *(end + 1 for end in ends)], [*ends, len(text)], strict=True))


def _by_format(text: str) -> list[_Secret]:
    found: list[_Secret] = []
    for secret_format in SECRET_FORMATS:
        if not secret_format.hints or any(hint in text for hint in secret_format.hints):
            found += [(*match.span("secret"), secret_format.kind) for match in secret_format.pattern.finditer(text)]
    return [secret for secret in found if secret[2] != BASE64_KEY or _is_random(text[secret[0] : secret[1]])]


def _is_random(text: str) -> bool:
    """Return whether base64 looks random, unlike a path, a name or a hexadecimal number."""
    has_both_cases = any(map(str.islower, text)) and any(map(str.isupper, text))
    return has_both_cases and sum(map(str.isdigit, text)) >= 2 and entropy(text) > 4.3


def _by_name(text: str) -> list[_Secret]:
    found: list[_Secret] = []
    end = -1
    for hint in NAME_HINT.finditer(text.lower() if len(text.lower()) == len(text) else text):
        if hint.start() < end:
            continue
        start = max(text.rfind("\n", 0, hint.start()) + 1, hint.start() - _OVERLAP_CHARACTERS)
        end = text.find("\n", hint.start(), start + _PIECE_CHARACTERS)
        whole = end >= 0 or start + _PIECE_CHARACTERS >= len(text)
        end = end if end >= 0 else min(start + _PIECE_CHARACTERS, len(text))
        found += [(start + first, start + last, kind) for first, last, kind in _by_name_in(text[start:end])]
        end -= 0 if whole else _OVERLAP_CHARACTERS
    return found


@lru_cache(_MAX_CACHED_LINES)
def _by_name_in(line: str) -> tuple[_Secret, ...]:
    """Return the secrets of a line that are recognised by the names before them."""
    matches = ((kind, match) for kind, pattern in NAMED_SECRETS for match in pattern.finditer(line))
    return tuple((*m.span("secret"), kind) for kind, m in matches if looks_secret(kind, m["name"], m["secret"]))


def _key_lines(text: str, lines: list[tuple[int, int]]) -> list[_Secret]:
    """Return the lines of private keys, each on its own, so that the number of lines stays the same."""
    hidden: set[int] = set()
    if "PRIVATE KEY" in text or "PuTTY-User-Key" in text:
        left = 0  # number of lines that the current key may still have
        for number, (start, end) in enumerate(lines):
            if _END.search(text, start, end):
                before = number - 1 if not left else -1  # without a BEGIN, look upwards
                while before >= 0 and _LAST_KEY_LINE.fullmatch(text, *lines[before]):
                    hidden.add(before)
                    before -= 1
                left = 0
            elif left:
                hidden.add(number)
                left -= 1
            begin = _BEGIN.search(text, start, end)
            if begin and not _END.search(text, begin.end(), end):
                left = _MAX_KEY_LINES
    starts = {start: number for number, (start, _) in enumerate(lines)} if _KEY_LINE.search(text) else {}
    run: list[int] = []
    for number in [*(starts[m.start()] for m in _KEY_LINE.finditer(text) if entropy(m["body"]) > 4.2), -1]:
        if run and number != run[-1] + 1:
            if len(run) >= _MIN_KEY_LINES:
                hidden.update(run)
                after = lines[run[-1] + 1] if run[-1] + 1 < len(lines) else (0, 0)
                last = _LAST_KEY_LINE.fullmatch(text, *after)
                if last and entropy(last[0]) > 3.5:
                    hidden.add(run[-1] + 1)
            run = []
        run.append(number)
    bodies = (lines[number] for number in hidden)
    return [
        (start, end, "private-key")
        for start, end in bodies
        if text[start:end].strip(" \t\r<>") not in _HIDDEN_KEY_LINES
    ]
