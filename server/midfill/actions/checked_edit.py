"""A model's answer -> an edit that can be trusted, or the reason why it cannot.

Only the selected lines change. What takes their place parses, is indented as they were, holds no prose, and keeps what
the action promises to keep; secrets come back as they were.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from midfill.actions.selection import Selection, dedented, lines_of
from midfill.code.identifiers import IDENTIFIER
from midfill.code.normalize import code_tokens, signatures
from midfill.code.python_ast import parse
from midfill.code.syntax import Syntax
from midfill.postprocess.mends import indentation_of, keep_indentation
from midfill.prompt.context import Context, line_ending

Keeps = Literal["nothing", "names", "signatures", "all but types", "code"]
"""What an edit must leave as it is: what functions and classes are called, how they are declared, or their code,
comments left aside."""

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


class Faulty(Exception):
    """An answer that no edit can be made of; ``reason`` is its code, ``str`` what the model is told."""

    def __init__(self, reason: str, fault: str) -> None:
        super().__init__(fault)
        self.reason = reason


@dataclass(frozen=True)
class Edit:
    """Whole lines of a document that others take the place of; none are inserted at where they would stand."""

    first_line: int
    end_line: int
    """The first line that stays, from 0."""
    lines: tuple[str, ...]
    """What stands there instead, without line ends."""
    path: str = ""
    """The file's, where it is not the document that was asked about."""

    def apply(self, document: str) -> str:
        """Return the document with the edit; lines that stay keep their ends."""
        newline = line_ending(document)
        before, selected, after = _split(document, self.first_line, self.end_line)
        text = newline.join(self.lines)
        ends = not selected or selected.endswith("\n")
        if text and before and not before.endswith("\n"):
            text, ends = newline + text, False
        return f"{before}{text}{newline if self.lines and (ends or after) else ''}{after}"


def code_in(answer: str, *, original: str = "") -> str:
    """Return the code of an answer: its first block that is not ``original``, or all of it when it has no block.

    Raises:
        Faulty: there is none.
    """
    blocks = [match["code"] for match in _FENCED.finditer(answer)]
    blocks = [block for block in blocks if block.strip()] or ([] if _FENCE.search(answer) else [answer])
    given = _plain(original)
    code = next((block for block in blocks if _plain(block) != given), blocks[0] if blocks else "")
    if not code.strip():
        raise Faulty("no-code", "there is no code in the answer")
    return "\n".join(dedented(code.strip("\n").split("\n"))).rstrip()


def is_whole(answer: str, *, original: str = "") -> bool:
    """Say whether an answer that is still being written has a whole block of code already."""
    blocks = (match for match in _FENCED.finditer(answer) if match[0].rstrip("\n").endswith(match["fence"]))
    return any(_plain(block["code"]) not in ("", _plain(original)) for block in blocks)


def replace_selection(answer: str, selection: Selection, keeps: Keeps, *, cut_short: bool = False) -> Edit:
    """Make an edit of the code in ``answer``, to take the selected lines' place.

    Raises:
        Faulty: the answer cannot be trusted.
    """
    if cut_short:
        raise Faulty("cut-short", "the answer is too long")
    code = _asked_for(code_in(answer, original=selection.code), selection)
    if _plain(code) == _plain(selection.code):
        raise Faulty("unchanged", "the code is the same as before")
    return checked(code, selection, keeps)


def checked(code: str, selection: Selection, keeps: Keeps) -> Edit:
    """Make an edit of ``code``, which begins at the left margin, to take the selected lines' place.

    Raises:
        Faulty: it cannot be trusted.
    """
    if _FENCE.search(code):
        raise Faulty("prose", "there is more than code in the code block")
    if (found := _CODE_LEFT_OUT.search(code)) and found[0].strip() not in selection.code:
        raise Faulty("left-out", f"code was left out where it says '{found[0].strip()}'")
    indented = _indented(code, selection)
    redacted = Edit(selection.first_line, selection.end_line, tuple(indented)).apply(selection.redacted)
    before, after = selection.syntax, Syntax(redacted, selection.language)
    breaks = selection.language.grammar == "python" and _is_python(selection.redacted) and not _is_python(redacted)
    if breaks or after.errors() > before.errors():
        raise Faulty("syntax", f"it is not valid {selection.language.name} in place of the selected lines")
    _check_kept(selection.redacted, redacted, selection, keeps)
    lines = tuple(_with_secrets(indented, selection))
    return Edit(selection.first_line, selection.end_line, lines)


def _asked_for(code: str, selection: Selection) -> str:
    """Return what ``code`` has of the selected definition, where it is one: models like to repeat the rest of a file.

    Raises:
        Faulty: what it has needs an import that would be left out.
    """
    asked = selection.selected_definition
    answered = Syntax(code, selection.language)
    found = [d for d in answered.definitions() if asked and (d.name, d.kind) == (asked.name, asked.kind)]
    if len(found) != 1:
        return code
    lines = code.split("\n")[found[0].first_line : found[0].last_line + 1]
    part = "\n".join(dedented(lines))
    there = {*selection.syntax.imports(), *Syntax(part, selection.language).imports()}
    used = set(IDENTIFIER.findall(part))
    for needed in answered.imports():
        names = set(needed.names) or set(IDENTIFIER.findall(needed.module)[-1:])
        known = {name for taken in there for name in (*taken.names, *IDENTIFIER.findall(taken.module)[-1:])}
        if missing := names & used - known:
            raise Faulty("import", f"'{min(missing)}' is not imported in this file: do without it")
    return part


def _is_python(text: str) -> bool:
    """Ask Python itself, which is stricter than the grammar: that lets a body be missing."""
    return parse(text) is not None


def _check_kept(before: str, after: str, selection: Selection, keeps: Keeps) -> None:
    language = selection.language
    if keeps in ("code", "all but types"):
        with_types = keeps == "code"
        if code_tokens(before, language, with_types=with_types) != code_tokens(after, language, with_types=with_types):
            raise Faulty("code-changed", "more has changed than was asked for: the code itself must stay as it is")
    if keeps == "nothing":
        return
    declared, now = signatures(before, language), signatures(after, language)
    for name, ways in declared.items():
        if sum(now.get(name, Counter()).values()) < sum(ways.values()):
            raise Faulty("name-lost", f"'{name}' is missing: answer with all of the selected code")
        if sum(now[name].values()) > sum(ways.values()):
            raise Faulty("repeated", f"'{name}' is defined already: answer with the selected lines only")
        if keeps == "signatures" and now[name] != ways:
            raise Faulty("signature", f"the declaration of '{name}' must stay as it is")


def _indented(code: str, selection: Selection) -> list[str]:
    """Indent ``code`` as the selected lines were, and its levels as the document's."""
    before, selected, after = _split(selection.redacted, selection.first_line, selection.end_line)
    context = Context(before, selected + after, len(before))
    lines = keep_indentation(code, context, indentation_of(context)).split("\n")
    return [selection.margin + line if line.strip() else "" for line in lines]


def _with_secrets(lines: list[str], selection: Selection) -> list[str]:
    """Put secrets back in place of their placeholders, each as often as it was selected."""
    text, selected = "\n".join(lines), "\n".join(selection.lines)
    for placeholder in selection.secrets:
        if text.count(placeholder) != selected.count(placeholder):
            raise Faulty("secret", f"{placeholder} must stay where it is")
    if selection.secrets:
        placeholders = re.compile("|".join(map(re.escape, selection.secrets)))
        text = placeholders.sub(lambda found: selection.secrets[found[0]], text)
    return text.split("\n")


def _split(document: str, first_line: int, end_line: int) -> tuple[str, str, str]:
    lines = lines_of(document)
    return "".join(lines[:first_line]), "".join(lines[first_line:end_line]), "".join(lines[end_line:])


def _plain(code: str) -> str:
    """Return ``code`` without what makes no difference to it."""
    return "\n".join(line.rstrip() for line in dedented(code.strip("\n").split("\n"))).strip()
