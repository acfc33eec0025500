"""A model's answer -> an edit that can be trusted, or the reason why there is none.

Only the selected lines change. The new lines parse, are indented as the old ones were, contain no prose, and keep what
the action promises to keep. Secrets come back as they were.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from midfill.actions.reasons import ActionReason, Faulty
from midfill.actions.selection import Selection, dedented
from midfill.code.identifiers import IDENTIFIER
from midfill.code.normalize import code_tokens, signatures
from midfill.code.python_ast import parse
from midfill.code.syntax import Syntax
from midfill.common.lines import lines_between, offset_of_line
from midfill.postprocess.mends import indentation_of, keep_indentation
from midfill.prompt.context import Context, line_ending

Keeps = Literal["nothing", "names", "signatures", "all but types", "code"]
"""What an edit must not change: the names of functions and classes, their declarations, or all code but comments."""

_FENCED = re.compile(
    r"^[ \t]*(?P<fence>`{3,}|~{3,})[^\n`]*\n(?P<code>.*?)(?:^[ \t]*(?P=fence)[`~]*[ \t]*$|\Z)", re.DOTALL | re.MULTILINE
)
_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})", re.MULTILINE)
_CODE_LEFT_OUT = re.compile(
    r"""^[ \t]*(?:\#|//|--|/\*)[ \t]*
    (?:(?:\.\.\.|…).*
     |(?:the|your)?[ ]?(?:rest|remaining|remainder|existing|other|previous|same)\b
      .*\b(?:code|functions?|methods?|class|implementation|logic|lines)\b.*)$""",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)


@dataclass(frozen=True)
class Edit:
    """Whole lines of a document, and the lines that replace them. If none are replaced, the new ones are inserted."""

    first_line: int
    """The first line that is replaced, from 0."""
    end_line: int
    """The line after the last one that is replaced; ``first_line`` if none is replaced."""
    lines: tuple[str, ...]
    """The new lines, without line ends."""
    path: str = ""
    """The path of the edited file; "" for the document that was asked about."""

    def apply(self, document: str) -> str:
        """Return the document with the edit. The other lines keep their line ends."""
        newline = line_ending(document)
        before, selected, after = _split(document, self.first_line, self.end_line)
        text = newline.join(self.lines)
        ends = not selected or selected.endswith("\n")
        if text and before and not before.endswith("\n"):
            text, ends = newline + text, False
        return f"{before}{text}{newline if self.lines and (ends or after) else ''}{after}"


def code_in(answer: str, *, original: str = "") -> str:
    """Return the code of an answer: its first block that is not ``original``, or the whole answer if it has no block.

    Raises:
        Faulty: there is no code.
    """
    blocks = [match["code"] for match in _FENCED.finditer(answer)]
    blocks = [block for block in blocks if block.strip()] or ([] if _FENCE.search(answer) else [answer])
    given = _plain(original)
    code = next((block for block in blocks if _plain(block) != given), blocks[0] if blocks else "")
    if not code.strip():
        raise Faulty(ActionReason.NO_CODE)
    return "\n".join(dedented(code.strip("\n").split("\n"))).rstrip()


def is_whole(answer: str, *, original: str = "") -> bool:
    """Return whether an unfinished answer has a complete block of code that is not ``original``."""
    blocks = (match for match in _FENCED.finditer(answer) if match[0].rstrip("\n").endswith(match["fence"]))
    return any(_plain(block["code"]) not in ("", _plain(original)) for block in blocks)


def replace_selection(answer: str, selection: Selection, keeps: Keeps) -> Edit:
    """Return the edit that replaces the selected lines by the code in ``answer``.

    Raises:
        Faulty: the answer cannot be trusted.
    """
    code = _without_repetition(code_in(answer, original=selection.code), selection)
    if _plain(code) == _plain(selection.code):
        raise Faulty(ActionReason.UNCHANGED)
    return checked(code, selection, keeps)


def checked(code: str, selection: Selection, keeps: Keeps) -> Edit:
    """Return the edit that replaces the selected lines by ``code``, which begins at the left margin.

    Blank lines at the start and the end of the selected lines stay.

    Raises:
        Faulty: the code cannot be trusted.
    """
    selection = selection.without_blank_edges()
    if _FENCE.search(code):
        raise Faulty(ActionReason.PROSE)
    if (found := _CODE_LEFT_OUT.search(code)) and found[0].strip() not in selection.code:
        raise Faulty(ActionReason.LEFT_OUT, f"code was left out where it says '{found[0].strip()}'")
    indented = _indented(code, selection)
    redacted = Edit(selection.first_line, selection.end_line, tuple(indented)).apply(selection.redacted)
    before, after = selection.syntax, Syntax(redacted, selection.language)
    breaks = selection.language.grammar == "python" and _is_python(selection.redacted) and not _is_python(redacted)
    if breaks or after.errors() > before.errors():
        raise Faulty(ActionReason.SYNTAX, f"it is not valid {selection.language.name} in place of the selected lines")
    _check_kept(selection.redacted, redacted, selection, keeps)
    lines = tuple(_with_secrets(indented, selection))
    return Edit(selection.first_line, selection.end_line, lines)


def _without_repetition(code: str, selection: Selection) -> str:
    """Return the selected definition from ``code``; the code itself if no whole definition is selected.

    Models like to repeat the rest of the file.

    Raises:
        Faulty: the definition needs an import that the code adds outside it.
    """
    selected = selection.selected_definition
    answered = Syntax(code, selection.language)
    found = [d for d in answered.definitions() if selected and (d.name, d.kind) == (selected.name, selected.kind)]
    if len(found) != 1:
        return code
    lines = code.split("\n")[found[0].first_line : found[0].last_line + 1]
    part = "\n".join(dedented(lines))
    imported = {*selection.syntax.imports(), *Syntax(part, selection.language).imports()}
    used = set(IDENTIFIER.findall(part))
    for needed in answered.imports():
        names = set(needed.names) or set(IDENTIFIER.findall(needed.module)[-1:])
        known = {name for taken in imported for name in (*taken.names, *IDENTIFIER.findall(taken.module)[-1:])}
        if missing := names & used - known:
            raise Faulty(ActionReason.IMPORT, f"'{min(missing)}' is not imported in this file: do without it")
    return part


def _is_python(text: str) -> bool:
    """Return whether Python itself accepts a text. The grammar is less strict: it accepts a function without a body."""
    return parse(text) is not None


def _check_kept(before: str, after: str, selection: Selection, keeps: Keeps) -> None:
    language = selection.language
    if keeps in ("code", "all but types"):
        with_types = keeps == "code"
        if code_tokens(before, language, with_types=with_types) != code_tokens(after, language, with_types=with_types):
            raise Faulty(ActionReason.CODE_CHANGED)
    if keeps == "nothing":
        return
    declared, now = signatures(before, language), signatures(after, language)
    for name, ways in declared.items():
        if sum(now.get(name, Counter()).values()) < sum(ways.values()):
            raise Faulty(ActionReason.NAME_LOST, f"'{name}' is missing: answer with all of the selected code")
        if sum(now[name].values()) > sum(ways.values()):
            raise Faulty(ActionReason.REPEATED, f"'{name}' is defined already: answer with the selected lines only")
        if keeps == "signatures" and now[name] != ways:
            raise Faulty(ActionReason.SIGNATURE, f"the declaration of '{name}' must stay as it is")


def _indented(code: str, selection: Selection) -> list[str]:
    """Indent ``code`` as the selected lines, with the document's kind of indentation for its inner levels."""
    before, selected, after = _split(selection.redacted, selection.first_line, selection.end_line)
    context = Context(before, selected + after, len(before))
    lines = keep_indentation(code, context, indentation_of(context)).split("\n")
    return [selection.margin + line if line.strip() else "" for line in lines]


def _with_secrets(lines: list[str], selection: Selection) -> list[str]:
    """Put the secrets back in place of their placeholders. Each placeholder must be there as often as before."""
    text, selected = "\n".join(lines), "\n".join(selection.lines)
    for placeholder in selection.secrets:
        if text.count(placeholder) != selected.count(placeholder):
            raise Faulty(ActionReason.SECRET, f"{placeholder} must stay where it is")
    if selection.secrets:
        placeholders = re.compile("|".join(map(re.escape, selection.secrets)))
        text = placeholders.sub(lambda found: selection.secrets[found[0]], text)
    return text.split("\n")


def _split(document: str, first_line: int, end_line: int) -> tuple[str, str, str]:
    start = offset_of_line(document, first_line)
    selected = lines_between(document, first_line, end_line)
    return document[:start], selected, document[start + len(selected) :]


def _plain(code: str) -> str:
    """Return ``code`` without its margin and without white space at the ends of lines."""
    return "\n".join(line.rstrip() for line in dedented(code.strip("\n").split("\n"))).strip()
