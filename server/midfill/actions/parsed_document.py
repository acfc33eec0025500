"""A document as actions read it: without secrets, parsed, and only in part if it is long.

The part is around the lines that an action works on. In place of the lines above it there are empty lines, so that
lines keep their numbers; the lines below it are left out.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property

from midfill.code.languages import Language
from midfill.code.syntax import MAX_PARSED_CHARACTERS, Syntax
from midfill.common.lines import count_lines, offset_of_line
from midfill.privacy.secrets import redact

_PLACEHOLDER = re.compile(r"<[\w-]+>")


class ParsedDocument:
    """A document, read only once for all selections of one part of it, and only when it is needed."""

    def __init__(self, document: str, language: Language, first_line: int, end_line: int) -> None:
        """Read the part around the lines from ``first_line`` to before ``end_line``."""
        self._document = document
        self._language = language
        self._around = first_line, end_line

    @cached_property
    def count(self) -> int:
        """Its number of lines."""
        return count_lines(self._document)

    def has(self, first_line: int, end_line: int) -> bool:
        """Return whether lines are in the part that is read."""
        first, start, end = self._part
        last = first + self._document.count("\n", start, end)
        return end - start == len(self._document) or first <= first_line <= end_line <= last

    @cached_property
    def lines(self) -> list[str]:
        """Its lines, without secrets and without line ends."""
        return self._redacted[0].split("\n")

    @property
    def secrets(self) -> dict[str, str]:
        """The secret that each placeholder stands for."""
        return self._redacted[1]

    @cached_property
    def syntax(self) -> Syntax:
        """The syntax of the document without secrets."""
        return Syntax(self._redacted[0], self._language)

    @cached_property
    def _part(self) -> tuple[int, int, int]:
        """The first line of the part, and the offsets of its start and end. It consists of whole lines."""
        text = self._document
        if len(text) <= MAX_PARSED_CHARACTERS:
            return 0, 0, len(text)
        start, end = (offset_of_line(text, line) for line in self._around)
        end = min(end, start + MAX_PARSED_CHARACTERS)
        room = max(MAX_PARSED_CHARACTERS - (end - start), 0) // 2
        low, high = max(start - room, 0), min(end + room, len(text))
        low = text.find("\n", low, start) + 1 or start if low else 0
        high = text.rfind("\n", end, high) + 1 or end if high < len(text) else high
        return text.count("\n", 0, low), low, high

    @cached_property
    def _redacted(self) -> tuple[str, dict[str, str]]:
        first, start, end = self._part
        text = self._document[start:end].replace("\r\n", "\n").replace("\r", " ")
        taken = set(_PLACEHOLDER.findall(text))
        numbers = Counter[str]()
        known: dict[tuple[str, str], str] = {}
        parts: list[str] = ["\n" * first]
        end = 0
        for span in redact(text).spans:
            secret = (span.kind, text[span.start : span.end])
            while secret not in known:
                numbers[span.kind] += 1
                number = numbers[span.kind]
                name = f"<{span.kind}>" if number == 1 else f"<{span.kind}-{number}>"
                if name not in taken:
                    known[secret] = name
            parts += (text[end : span.start], known[secret])
            end = span.end
        return "".join((*parts, text[end:])), {name: secret for (_, secret), name in known.items()}
