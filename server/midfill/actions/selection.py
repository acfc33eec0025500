"""The lines that an action works on, as a model may see them: without secrets, and with the code that they use."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from midfill.actions.parsed_document import ParsedDocument
from midfill.code.identifiers import IDENTIFIER
from midfill.code.languages import Language
from midfill.code.syntax import MAX_PARSED_CHARACTERS, Definition, Syntax
from midfill.common.lines import count_lines, lines_between

_MAX_TRIED_DEFINITIONS = 200
"""Maximum number of definitions of which it is tried if they fit. Counting their tokens takes milliseconds for each."""
_MAX_CHARACTERS_PER_TOKEN = 16
"""Text with more characters for each token of a budget is taken for too long without counting its tokens."""
_LINE = re.compile(r"[^\n]*\n|[^\n]+\Z")

Count = Callable[[str], int]
"""A text -> its number of tokens."""


@dataclass(frozen=True)
class Excerpt:
    """The parts of a document that fit into a prompt."""

    text: str
    left_out: tuple[str, ...] = ()
    """Names of definitions that did not fit."""


class Selection:
    """Whole lines of a document. Lines count from 0, and only a newline ends one."""

    def __init__(
        self,
        document: str,
        language: Language,
        first_line: int,
        end_line: int,
        path: str = "",
        indent: str = "",
        parsed: ParsedDocument | None = None,
    ) -> None:
        """Select the lines from ``first_line`` to before ``end_line``.

        Args:
            document: the text of the document.
            language: its language.
            first_line: the first selected line.
            end_line: the line after the last one. If it is ``first_line``, the selection is a place to insert at.
            path: the path of the document; "" if it has none.
            indent: the indentation of a place to insert at.
            parsed: the same document, if another selection of it has been made before.
        """
        count = parsed.count if parsed else count_lines(document)
        self.first_line = min(max(first_line, 0), count)
        self.end_line = min(max(end_line, self.first_line), count)
        if parsed is None or not parsed.has(self.first_line, self.end_line):
            parsed = ParsedDocument(document, language, self.first_line, self.end_line)
        self._parsed = parsed
        self.document = document
        self.language = language
        self.path = path
        self._indent = indent

    @cached_property
    def is_too_long(self) -> bool:
        """Whether the selected lines have more characters than an action may read."""
        if len(self.document) <= MAX_PARSED_CHARACTERS:
            return False
        return len(lines_between(self.document, self.first_line, self.end_line)) > MAX_PARSED_CHARACTERS

    @property
    def lines(self) -> list[str]:
        """The selected lines with their indentation, without secrets and without line ends."""
        return self.redacted_lines[self.first_line : self.end_line]

    @property
    def code(self) -> str:
        """The selected lines as a model sees them: without the indentation that all of them have."""
        return "\n".join(dedented(self.lines))

    @property
    def margin(self) -> str:
        """The indentation that all selected lines have; lines that replace them need it too."""
        return margin_of(self.lines) or self._indent

    @property
    def redacted(self) -> str:
        """The document without secrets, and with plain newlines; of a long document, the part around the lines."""
        return "\n".join(self.redacted_lines)

    @property
    def redacted_lines(self) -> list[str]:
        """The document's lines, with a placeholder for each secret."""
        return self._parsed.lines

    @property
    def secrets(self) -> dict[str, str]:
        """The secret that each placeholder of the document stands for."""
        return self._parsed.secrets

    def hidden(self, text: str) -> str:
        """Return a text with the placeholders of the document's secrets in place of these secrets."""
        for placeholder, secret in self.secrets.items():
            text = text.replace(secret, placeholder)
        return text

    @property
    def syntax(self) -> Syntax:
        """The redacted document, parsed."""
        return self._parsed.syntax

    @cached_property
    def definition(self) -> Definition | None:
        """The innermost function around the first line that is not blank; else the innermost class; else None."""
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
        """The definition whose lines are exactly the selected ones."""
        found = self.definition
        whole = found is not None and (found.first_line, found.last_line + 1) == (self.first_line, self.end_line)
        return found if whole else None

    def of_lines(self, first_line: int, end_line: int, indent: str = "") -> Selection:
        """Select other lines of the same document."""
        return Selection(self.document, self.language, first_line, end_line, self.path, indent, self._parsed)

    def without_blank_edges(self) -> Selection:
        """Select the same lines without the blank ones at the start and the end; the same if all are blank."""
        filled = [number for number, line in enumerate(self.lines, self.first_line) if line.strip()]
        return self.of_lines(filled[0], filled[-1] + 1) if filled else self

    def of_document(self) -> Selection:
        """Select all lines of the same document."""
        return self.of_lines(0, self._parsed.count)

    def of_definition(self) -> Selection:
        """Select the definition in which the selection begins; the same lines if it begins in none."""
        found = self.definition
        return self.of_lines(found.first_line, found.last_line + 1) if found else self

    def outline(self, count: Count, budget: int, question: str = "") -> Excerpt:
        """Return the selected lines in at most ``budget`` tokens: most functions are shown without their bodies.

        The bodies that fit are those of the functions that the ``question`` names, then of those that are used most.
        """
        functions: list[Definition] = []
        for found in self.syntax.definitions():
            inside = self.first_line <= found.first_line and found.last_line < self.end_line
            outer = not functions or found.first_line > functions[-1].last_line
            if found.kind == "function" and inside and outer and found.last_line > found.first_line:
                functions.append(found)
        uses = Counter(IDENTIFIER.findall(self.code))
        named = set(IDENTIFIER.findall(question))
        folded = {function.first_line: function for function in functions}
        room = budget - count(self._folded(folded))
        best_first = sorted(functions, key=lambda f: (f.name not in named, -uses[f.name], f.first_line))
        for function in best_first[:_MAX_TRIED_DEFINITIONS]:
            body = "\n".join(self.redacted_lines[function.first_line : function.last_line + 1])
            room -= (more := count(body) - count(function.signature))
            if room < 0:
                room += more
            else:
                del folded[function.first_line]
        lines = self._folded(folded)[: budget * _MAX_CHARACTERS_PER_TOKEN].split("\n")
        while lines and count("\n".join(lines)) > budget:
            del lines[len(lines) * 9 // 10 :]
        return Excerpt("\n".join(lines), tuple(function.name for function in folded.values()))

    def _folded(self, functions: Mapping[int, Definition]) -> str:
        """Return the selected lines, with only the declarations of these functions. The keys are their first lines."""
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


def lines_of(text: str) -> list[str]:
    """Return the lines of ``text`` with their line ends."""
    return _LINE.findall(text)


def margin_of(lines: Sequence[str]) -> str:
    """Return the white space with which all lines begin. Blank lines do not count."""
    margins = [line[: len(line) - len(line.lstrip(" \t"))] for line in lines if line.strip()]
    margin = min(margins, key=len, default="")
    while not all(other.startswith(margin) for other in margins):
        margin = margin[:-1]
    return margin


def dedented(lines: Sequence[str]) -> list[str]:
    """Return the lines without the white space with which all begin. Blank lines become empty."""
    margin = margin_of(lines)
    return [line[len(margin) :] if line.strip() else "" for line in lines]
