"""Secrets in a text, replaced span by span before the text goes anywhere.

Why not a library: detect-secrets 1.5, and its fork, open a socket when they are imported (their HTTP client probes for
IPv6), tell that there is a secret but not where, and find no key of which a window cut off the beginning. What its
detectors know of the forms of keys is covered here, see :mod:`~midfill.privacy.secret_patterns`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache

from midfill.privacy.secret_patterns import BASE64_KEY, BY_NAME, FORMS, NAME_HINT, entropy, looks_secret

_LINES_REMEMBERED = 1 << 12
_LONGEST_LINE = 4_000
"""What follows in a longer line is hidden unseen: nobody writes such lines, and patterns take long for them."""
_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-\d")
_END = re.compile(r"-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|Private-MAC:")
_KEY_LINE = re.compile(
    r"^[^\S\n]*(?:[\"'+][^\S\n]*){0,3}(?P<body>[A-Za-z0-9+/]{60,76}={0,2})(?:\\n)?[\"'+;,)\\ \t]{0,6}$", re.MULTILINE
)
_LAST_KEY_LINE = re.compile(r"[^\S\n]*[\"'+]?[A-Za-z0-9+/]{4,76}={0,2}(?:\\n)?[\"'+;,)\\ \t]{0,6}")
_LONGEST_KEY = 200
"""Lines of the longest private key; a BEGIN without an END hides no more."""
_FEWEST_KEY_LINES = 3
"""So many lines of nothing but base64 are taken for a piece of a key: a window may have cut off its BEGIN and END."""

_Found = tuple[int, int, str]
"""A secret's start, end and kind."""


@dataclass(frozen=True)
class Span:
    """A secret in the original text."""

    start: int
    end: int
    kind: str
    """What it is, such as ``github-token``; it stands in the redacted text in angle brackets."""
    placeholder: str


@dataclass(frozen=True)
class Redacted:
    """A text without its secrets; it has as many lines as the original."""

    text: str
    spans: tuple[Span, ...]

    def offset(self, original: int) -> int:
        """Return where an offset into the original is now; one inside a secret goes to its placeholder's end."""
        before = self.spans[: bisect_left(self.spans, original, key=lambda span: span.start)]
        if not before:
            return original
        moved = sum(len(span.placeholder) - (span.end - span.start) for span in before)
        return max(original, before[-1].end) + moved


def redact(text: str) -> Redacted:
    """Replace every secret of ``text`` by its kind in angle brackets; quotes, names and line ends stay.

    Less than a millisecond for 8,000 characters of ordinary code, which needs no cache; lines with a telling name,
    which take longer, are remembered.
    """
    lines = _lines(text)
    found = [*_long_lines(text, lines), *_key_lines(text, lines), *_own_form(text), *_by_name(text)]
    spans: list[Span] = []
    for start, end, kind in sorted(found, key=lambda secret: (secret[0], -secret[1])):
        if not spans or start >= spans[-1].end:
            spans.append(Span(start, end, kind, f"<{kind}>"))
    return Redacted(_replaced(text, spans), tuple(spans))


def _replaced(text: str, spans: list[Span]) -> str:
    parts: list[str] = []
    end = 0
    for span in spans:
        parts += (text[end : span.start], span.placeholder)
        end = span.end
    return "".join((*parts, text[end:]))


def _lines(text: str) -> list[tuple[int, int]]:
    """Return where each line starts and ends."""
    ends = [match.start() for match in re.finditer("\n", text)]
    return list(zip([0, *(end + 1 for end in ends)], [*ends, len(text)], strict=True))


def _long_lines(text: str, lines: list[tuple[int, int]]) -> list[_Found]:
    rests = ((start + _LONGEST_LINE, end) for start, end in lines if end - start > _LONGEST_LINE)
    return [(start, end, "long-line") for start, end in rests if text[start:end] != "<long-line>"]


def _own_form(text: str) -> list[_Found]:
    found: list[_Found] = []
    for form in FORMS:
        if not form.hints or any(hint in text for hint in form.hints):
            found += [(*match.span("secret"), form.kind) for match in form.pattern.finditer(text)]
    return [secret for secret in found if secret[2] != BASE64_KEY or _is_random(text[secret[0] : secret[1]])]


def _is_random(text: str) -> bool:
    """Tell random base64 from paths, names and numbers in hexadecimal."""
    has_letters = any(map(str.islower, text)) and any(map(str.isupper, text))
    return has_letters and sum(map(str.isdigit, text)) >= 2 and entropy(text) > 4.3


def _by_name(text: str) -> list[_Found]:
    found: list[_Found] = []
    end = -1
    for hint in NAME_HINT.finditer(text.lower() if len(text.lower()) == len(text) else text):
        if hint.start() < end:
            continue
        start = text.rfind("\n", 0, hint.start()) + 1
        end = text.find("\n", hint.start())
        end = len(text) if end < 0 else end
        in_line = _named_in(text[start : min(end, start + _LONGEST_LINE)])
        found += [(start + first, start + last, kind) for first, last, kind in in_line]
    return found


@lru_cache(_LINES_REMEMBERED)
def _named_in(line: str) -> tuple[_Found, ...]:
    """Return the secrets of a line that only their names give away."""
    matches = ((kind, match) for kind, pattern in BY_NAME for match in pattern.finditer(line))
    return tuple((*m.span("secret"), kind) for kind, m in matches if looks_secret(kind, m["name"], m["secret"]))


def _key_lines(text: str, lines: list[tuple[int, int]]) -> list[_Found]:
    """Return the bodies of private keys, line by line, so that all lines keep their numbers."""
    hidden: set[int] = set()
    if "PRIVATE KEY" in text or "PuTTY-User-Key" in text:
        left = 0  # lines that may still belong to a key that has begun
        for number, (start, end) in enumerate(lines):
            if _END.search(text, start, end):
                before = number - 1 if not left else -1  # its BEGIN was cut off
                while before >= 0 and _LAST_KEY_LINE.fullmatch(text, *lines[before]):
                    hidden.add(before)
                    before -= 1
                left = 0
            elif left:
                hidden.add(number)
                left -= 1
            begin = _BEGIN.search(text, start, end)
            if begin and not _END.search(text, begin.end(), end):
                left = _LONGEST_KEY
    starts = {start: number for number, (start, _) in enumerate(lines)} if _KEY_LINE.search(text) else {}
    run: list[int] = []
    for number in [*(starts[m.start()] for m in _KEY_LINE.finditer(text) if entropy(m["body"]) > 4.2), -1]:
        if run and number != run[-1] + 1:
            if len(run) >= _FEWEST_KEY_LINES:
                hidden.update(run)
                after = lines[run[-1] + 1] if run[-1] + 1 < len(lines) else (0, 0)
                last = _LAST_KEY_LINE.fullmatch(text, *after)
                if last and entropy(last[0]) > 3.5:
                    hidden.add(run[-1] + 1)
            run = []
        run.append(number)
    bodies = (lines[number] for number in hidden)
    return [(start, end, "private-key") for start, end in bodies if text[start:end].strip(" \t\r<>") not in _HIDDEN]


_HIDDEN = ("", "private-key")
