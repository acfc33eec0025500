"""Finds the secrets in a text and replaces each by a placeholder.

Why not a library: detect-secrets 1.5 and its fork open a socket on import (their HTTP client checks for IPv6), report
that a line has a secret but not where, and miss a private key whose first lines are cut off. The key formats that its
detectors know are also known to :mod:`~midfill.privacy.secret_patterns`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NewType

from midfill.common.lines import offset_of_line
from midfill.privacy.kubernetes_secrets import kubernetes_secrets
from midfill.privacy.named_secrets import named_secrets
from midfill.privacy.private_keys import private_keys
from midfill.privacy.secret_arguments import secret_arguments
from midfill.privacy.secret_patterns import secrets_by_format
from midfill.privacy.secret_values import Secret
from midfill.privacy.sql_secrets import sql_secrets

RedactedText = NewType("RedactedText", str)
"""Text that :func:`redact` has seen whole. What keeps or cuts text of a file takes this type and no other."""
_PLACEHOLDER = re.compile(r"<[a-z0-9-]{3,30}>")
_REACH = 16_000
"""Number of characters around a part of a text that are searched too: a long private key may reach into it."""


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

    text: RedactedText
    spans: tuple[Span, ...]

    def offset(self, original: int) -> int:
        """Convert an offset of the original text; one inside a secret becomes the end of its placeholder."""
        before = self.spans[: bisect_left(self.spans, original, key=lambda span: span.start)]
        if not before:
            return original
        shift = sum(len(span.placeholder) - (span.end - span.start) for span in before)
        return max(original, before[-1].end) + shift

    def original(self, offset: int) -> int:
        """Convert an offset of the redacted text; one inside a placeholder becomes the end of its secret."""
        shift = 0  # by which the redacted text is longer, up to here
        for span in self.spans:
            start = span.start + shift
            if offset <= start:
                break
            if offset < start + len(span.placeholder):
                return span.end
            shift += len(span.placeholder) - (span.end - span.start)
        return offset - shift

    def hides(self, original: int) -> bool:
        """Return whether an offset of the original text is within a secret."""
        return any(span.start < original < span.end for span in self.spans)


def redact(text: str) -> Redacted:
    """Replace every secret of ``text`` by its kind in angle brackets; quotes, names and line ends stay.

    It takes about a millisecond for 8,000 characters of code, and the time grows with the length of any text.
    """
    spans: list[Span] = []
    whole = [*secrets_by_format(text), *named_secrets(text), *secret_arguments(text), *sql_secrets(text)]
    whole += [(start, end, "secret") for start, end in kubernetes_secrets(text)]
    found = [part for secret in whole for part in _in_lines(text, *secret)]
    found += [(start, end, "private-key") for start, end in private_keys(text)]
    for start, end, kind in sorted(found, key=lambda secret: (secret[0], -secret[1])):
        if not spans or start >= spans[-1].end:
            spans.append(Span(start, end, kind, f"<{kind}>"))
        elif end > spans[-1].end:  # it begins within another one
            spans[-1] = Span(spans[-1].start, end, spans[-1].kind, spans[-1].placeholder)
    return Redacted(RedactedText(_replaced(text, spans)), tuple(spans))


def redacted_lines(text: str, first: int, last: int) -> RedactedText:
    r"""Return lines ``first`` to ``last`` of a text, both included, without secrets and with "\n" between them.

    The text around them is searched too, as far as a secret may reach. So this is what these lines of the whole
    redacted text are, in a time that does not grow with the text.
    """
    start, end = offset_of_line(text, first), offset_of_line(text, last + 1)
    before = text.rfind("\n", 0, max(start - _REACH, 0)) + 1
    after = text.find("\n", min(end + _REACH, len(text)))
    lines = redact(text[before : after if after >= 0 else len(text)]).text.split("\n")
    skipped = text.count("\n", before, start)
    return RedactedText("\n".join(lines[skipped : skipped + last - first + 1]))


def _in_lines(text: str, start: int, end: int, kind: str) -> Iterator[Secret]:
    """Yield a secret in parts without line ends, so that the text keeps its number of lines."""
    if "\n" not in text[start:end]:
        yield start, end, kind
        return
    for line in text[start:end].split("\n"):
        part = line.strip(" \t\r\\")
        if part and not _PLACEHOLDER.fullmatch(part):
            first = start + line.index(part)
            yield first, first + len(part), kind
        start += len(line) + 1


def _replaced(text: str, spans: list[Span]) -> str:
    parts: list[str] = []
    end = 0
    for span in spans:
        parts += (text[end : span.start], span.placeholder)
        end = span.end
    return "".join((*parts, text[end:]))
