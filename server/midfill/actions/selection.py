"""The lines an action works on, as a model may see them: without secrets, at the left margin, among what matters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from midfill.code.identifiers import IDENTIFIER
from midfill.code.languages import Language
from midfill.code.syntax import Definition, Syntax
from midfill.privacy.secrets import redact

_MOST_HEAD_LINES = 60
"""Of the imports and constants above the first definition."""
_LINE = re.compile(r"[^\n]*\n|[^\n]+\Z")

Count = Callable[[str], int]
"""A text -> how many tokens it has."""


@dataclass(frozen=True)
class Around:
    """What of the document besides the selection a prompt has room for."""

    text: str
    left_out: tuple[str, ...] = ()
    """Names of definitions that there was no room for."""


class Selection:
    """Whole lines of a document; lines count from 0 and end at a newline only."""

    def __init__(
        self,
        document: str,
        language: Language,
        first_line: int,
        end_line: int,
        path: str = "",
        indent: str = "",
        read: _Read | None = None,
    ) -> None:
        """Select the lines from ``first_line`` up to, without, ``end_line``.

        None are selected if these are the same: a place to insert at, ``indent``ed so. What was ``read`` of the
        document for another selection is not read again.
        """
        self._read = read or _Read(document, language)
        self.document = document
        self.language = language
        self.path = path
        """Of the document, "" for one that has none."""
        self._indent = indent
        count = self._read.count
        self.first_line = min(max(first_line, 0), count)
        self.end_line = min(max(end_line, self.first_line), count)

    @property
    def lines(self) -> list[str]:
        """The selected lines, with plain newlines and without secrets, as they are indented."""
        return self.redacted_lines[self.first_line : self.end_line]

    @property
    def code(self) -> str:
        """The selected lines without what all are indented by; what a model is shown."""
        return "\n".join(dedented(self.lines))

    @property
    def margin(self) -> str:
        """What all selected lines are indented by, and what takes their place is to be."""
        return margin_of(self.lines) or self._indent

    @property
    def redacted(self) -> str:
        """The document with plain newlines and without secrets."""
        return "\n".join(self.redacted_lines)

    @property
    def redacted_lines(self) -> list[str]:
        """The document's lines without secrets, each secret with a placeholder of its own."""
        return self._read.lines

    @property
    def secrets(self) -> dict[str, str]:
        """What each placeholder of the document stands for."""
        return self._read.secrets

    @property
    def syntax(self) -> Syntax:
        """The redacted document, parsed."""
        return self._read.syntax

    @cached_property
    def definition(self) -> Definition | None:
        """The innermost function round the first line that is not blank, else the innermost class, else None."""
        line = next(
            (number for number, text in enumerate(self.lines, self.first_line) if text.strip()), self.first_line
        )
        around = [
            d
            for d in self.syntax.definitions()
            if d.kind in ("function", "class") and d.first_line <= line <= d.last_line
        ]
        functions = [d for d in around if d.kind == "function"]
        return max(functions or around, key=lambda d: d.first_line, default=None)

    @property
    def selected_definition(self) -> Definition | None:
        """The definition that is just what is selected."""
        found = self.definition
        whole = found is not None and (found.first_line, found.last_line + 1) == (self.first_line, self.end_line)
        return found if whole else None

    def of_lines(self, first_line: int, end_line: int, indent: str = "") -> Selection:
        """Select other lines of the same document."""
        return Selection(self.document, self.language, first_line, end_line, self.path, indent, self._read)

    def of_definition(self) -> Selection:
        """Select the definition the selection begins in; what is selected already, where it is in none."""
        found = self.definition
        return self.of_lines(found.first_line, found.last_line + 1) if found else self

    def around(self, count: Count, budget: int) -> Around:
        """Return what the selection uses and the declarations it is in, in at most ``budget`` tokens."""
        definitions = self.syntax.definitions()
        head_end = min([self.first_line, *(d.first_line for d in definitions if d.kind in ("function", "class"))])
        used = set(IDENTIFIER.findall(self.code))
        head = self.redacted_lines[:head_end]
        if self.lines:  # of what is written already, it is known what matters
            head = [line for line in head if used & set(IDENTIFIER.findall(line))]
        pieces = ["\n".join(head[:_MOST_HEAD_LINES]).strip()]
        pieces += [d.signature for d in definitions if d.first_line < self.first_line and d.last_line >= self.end_line]
        wanted = [
            d
            for d in definitions
            if d.name in used
            and d.kind in ("function", "class")
            and (d.last_line < self.first_line or d.first_line >= self.end_line)
        ]
        text, left_out = "", []
        for piece in filter(None, pieces):
            text = _joined(text, piece, count, budget) or text
        for definition in wanted:
            whole = "\n".join(self.redacted_lines[definition.first_line : definition.last_line + 1])
            longer = _joined(text, whole, count, budget) or _joined(text, definition.signature, count, budget)
            if longer is None:
                left_out.append(definition.name)
            text = longer or text
        return Around(text, tuple(left_out))

    def outline(self, count: Count, budget: int, asked: str = "") -> Around:
        """Return the selected lines in at most ``budget`` tokens: functions without their bodies, but for some.

        Bodies are shown of functions that are ``asked`` about, then of those that others use most.
        """
        functions: list[Definition] = []
        for found in self.syntax.definitions():
            inside = self.first_line <= found.first_line and found.last_line < self.end_line
            outer = not functions or found.first_line > functions[-1].last_line
            if found.kind == "function" and inside and outer and found.last_line > found.first_line:
                functions.append(found)
        uses = Counter(IDENTIFIER.findall(self.code))
        named = set(IDENTIFIER.findall(asked))
        folded = {function.first_line: function for function in functions}
        room = budget - count(self._folded(folded))
        for function in sorted(functions, key=lambda f: (f.name not in named, -uses[f.name], f.first_line)):
            body = "\n".join(self.redacted_lines[function.first_line : function.last_line + 1])
            room -= (more := count(body) - count(function.signature))
            if room < 0:
                room += more
            else:
                del folded[function.first_line]
        lines = self._folded(folded).split("\n")
        while lines and count("\n".join(lines)) > budget:
            del lines[len(lines) * 9 // 10 :]
        return Around("\n".join(lines), tuple(function.name for function in folded.values()))

    def _folded(self, functions: Mapping[int, Definition]) -> str:
        """Return the selected lines with these functions, by their first lines, declared only."""
        lines: list[str] = []
        number = self.first_line
        while number < self.end_line:
            if number in functions:
                signature = functions[number].signature.split("\n")
                lines += [*signature, f"{margin_of(signature[-1:])}{'' if len(signature) > 1 else '    '}..."]
                number = functions[number].last_line + 1
            else:
                lines.append(self.redacted_lines[number])
                number += 1
        return "\n".join(dedented(lines))


class _Read:
    """What is known of a document, whatever is selected of it; read when it is first wanted."""

    def __init__(self, document: str, language: Language) -> None:
        self._document = document
        self._language = language

    @cached_property
    def count(self) -> int:
        """How many lines it has."""
        return len(lines_of(self._document))

    @cached_property
    def lines(self) -> list[str]:
        """Its lines without secrets, with plain newlines."""
        return self._redacted[0].split("\n")

    @property
    def secrets(self) -> dict[str, str]:
        """What each placeholder stands for."""
        return self._redacted[1]

    @cached_property
    def syntax(self) -> Syntax:
        """It without secrets, parsed."""
        return Syntax(self._redacted[0], self._language)

    @cached_property
    def _redacted(self) -> tuple[str, dict[str, str]]:
        text = self._document.replace("\r\n", "\n").replace("\r", " ")
        known: dict[tuple[str, str], str] = {}
        parts: list[str] = []
        end = 0
        for span in redact(text).spans:
            secret = (span.kind, text[span.start : span.end])
            if secret not in known:
                known[secret] = _free_name(span.kind, text, known.values())
            parts += (text[end : span.start], known[secret])
            end = span.end
        return "".join((*parts, text[end:])), {name: secret for (_, secret), name in known.items()}


def lines_of(text: str) -> list[str]:
    """Return the lines of ``text`` with their ends, as they are."""
    return _LINE.findall(text)


def margin_of(lines: Sequence[str]) -> str:
    """Return the white space that all lines begin with, but for blank ones."""
    margins = [line[: len(line) - len(line.lstrip(" \t"))] for line in lines if line.strip()]
    margin = min(margins, key=len, default="")
    while not all(other.startswith(margin) for other in margins):
        margin = margin[:-1]
    return margin


def dedented(lines: Sequence[str]) -> list[str]:
    """Return the lines without what all begin with; blank ones are empty."""
    margin = margin_of(lines)
    return [line[len(margin) :] if line.strip() else "" for line in lines]


def _free_name(kind: str, text: str, taken: Collection[str]) -> str:
    names = (f"<{kind}>" if number == 1 else f"<{kind}-{number}>" for number in range(1, len(text) + 2))

    return next(name for name in names if name not in text and name not in taken)


def _joined(text: str, piece: str, count: Count, budget: int) -> str | None:
    """Return both below each other, None if they do not fit."""
    whole = f"{text}\n\n{piece}" if text else piece
    return whole if count(whole) <= budget else None
