"""The code around the lines of an action: of their own file by its syntax, of other files by the index, ranked.

Each part is shown whole, or by its declaration if that is all there is room for. What was shown, and why, can be told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from midfill.actions.from_project import FromProject
from midfill.actions.selection import Count, Selection, dedented
from midfill.code.identifiers import CALL, IDENTIFIER
from midfill.code.syntax import Definition

_MAX_HEAD_LINES = 60
"""Maximum number of lines of the imports and constants above the first definition."""
_MAX_TRIED = 200
"""Maximum number of definitions of which it is tried if they fit. Counting their tokens takes milliseconds for each."""
_MAX_CHARACTERS_PER_TOKEN = 16
"""Text with more characters for each token of a budget is taken for too long without counting its tokens."""
_HEAD, _AROUND, _USED, _TYPE, _MEMBERS, _CALLER, _ASKED, _NEAR = 9.0, 8.0, 5.0, 4.0, 3.5, 2.5, 3.0, 1.0
"""Scores of parts of the file, by how they were found."""
_MAX_CALLERS = 2
_MAX_CALLER_LINES = 16
_MAX_ASKED_LINES = 40
"""Maximum number of lines of a definition that are compared with an instruction."""
_MAX_MEMBERS = 40
"""Maximum number of members of a class that are shown by their declarations."""
_MEMBER = re.compile(r"[\w)\]]\.([^\W\d]\w*)\b(?!\s*\()")
"""An attribute that is not called."""
_NAME_PART = re.compile(r"[A-Z]?[a-z]{3,}|[A-Z]{2,}(?![a-z])")


@dataclass(frozen=True)
class Seen:
    """A part of the project that the model was shown."""

    path: str
    """The file within its workspace folder; "" for the document."""
    first_line: int
    last_line: int
    """First and last line, from 0, both included."""
    kind: str
    """How it was found."""
    score: float
    """What it was worth. Parts of the document come before other files."""
    tokens: int


@dataclass(frozen=True)
class Surroundings:
    """What fits into a prompt of the code around some lines."""

    here: str = ""
    """Other parts of the file."""
    elsewhere: str = ""
    """Parts of other files, each below a comment with its file's path."""
    left_out: tuple[str, ...] = ()
    """Names of definitions of the file that the lines use, and that did not fit."""
    seen: tuple[Seen, ...] = ()


@dataclass(frozen=True)
class _Part:
    """A part of the file."""

    first_line: int
    last_line: int
    kind: str
    score: float
    forms: tuple[str, ...]
    """Its texts, the longest first."""
    name: str = ""


def surroundings_of(
    selection: Selection, project: FromProject, count: Count, budget: int, instruction: str = ""
) -> Surroundings:
    """Return the code around the lines, in at most ``budget`` tokens of the file and some of other files.

    Args:
        selection: the lines.
        project: what was found in other files; it says how many tokens of them may be shown.
        count: counts tokens.
        budget: maximum number of tokens of other parts of the file.
        instruction: what the user asks for; it names what matters at a place where there is no code yet.
    """
    count = lru_cache(None)(count)
    here = _Budget(count, budget)
    for part in sorted(_parts(selection, instruction), key=lambda part: (-part.score, part.first_line)):
        here.add(part)
    elsewhere = _Budget(count, project.max_tokens)
    comment = selection.language.line_comment or "#"
    taken = [*here.texts, selection.code]
    for snippet in project.snippets:
        text = f"{comment} {snippet.path}\n{snippet.text}"
        part = _Part(snippet.first_line, snippet.last_line, snippet.kind, snippet.score, (text,), snippet.path)
        if not any(snippet.text.strip() in other for other in taken):
            elsewhere.add(part)
    return Surroundings(
        here="\n\n".join(here.texts),
        elsewhere="\n\n".join(text for _, text, _ in elsewhere.chosen),
        left_out=tuple(here.left_out),
        seen=(*here.seen(""), *elsewhere.seen()),
    )


def classes_used(selection: Selection) -> list[str]:
    """Return the outermost classes of the file whose objects the lines use, as far as names and members tell."""
    definitions = selection.syntax.definitions()
    parents = _parents(definitions)
    outside = _outside(selection, definitions)
    around = [d for d in definitions if d.first_line <= selection.first_line and d.last_line >= selection.end_line - 1]
    scores = _scores(selection, outside, around, parents, "")
    return [d.name for d in scores if d.kind == "class" and parents[d] is None]


class _Budget:
    """Parts that together fit into a number of tokens."""

    def __init__(self, count: Count, tokens: int) -> None:
        self._count = count
        self._room = tokens
        self._tried = 0
        self.chosen: list[tuple[_Part, str, int]] = []
        """The parts, each with the text that fits and its tokens, in the order in which they were added."""
        self.left_out: list[str] = []

    @property
    def texts(self) -> list[str]:
        """The texts in the order of their lines."""
        ordered = sorted(self.chosen, key=lambda chosen: chosen[0].first_line)
        return [text for _, text, _ in ordered]

    def add(self, part: _Part) -> None:
        """Add the longest form that fits, if there is room."""
        self._tried += 1
        for form in part.forms if self._tried <= _MAX_TRIED else ():
            if len(form) > self._room * _MAX_CHARACTERS_PER_TOKEN:
                continue
            tokens = self._count(form) + 1  # the blank line between two parts
            if tokens <= self._room:
                self._room -= tokens
                self.chosen.append((part, form, tokens))
                return
        if part.kind == "used":
            self.left_out.append(part.name)

    def seen(self, path: str | None = None) -> Iterator[Seen]:
        """Yield what was chosen, of the file ``path``, or of the files that the parts name."""
        for part, _, tokens in self.chosen:
            where = part.name if path is None else path
            yield Seen(where, part.first_line, part.last_line, part.kind, round(part.score, 2), tokens)


def _parts(selection: Selection, instruction: str) -> Iterator[_Part]:
    """Yield the parts of the file that may matter, each definition once, with its best score."""
    definitions = selection.syntax.definitions()
    lines = selection.redacted_lines
    outside = _outside(selection, definitions)
    head_end = min([selection.first_line, *(d.first_line for d in definitions if d.kind in ("function", "class"))])
    used = set(IDENTIFIER.findall(selection.code))
    head = lines[:head_end]
    if selection.lines:  # code shows what it uses; at a place to insert, any line may matter
        head = [line for line in head if used & set(IDENTIFIER.findall(line))]
    if text := "\n".join(head[:_MAX_HEAD_LINES]).strip():
        yield _Part(0, head_end - 1, "head", _HEAD, (text,))
    around = [d for d in definitions if d.first_line < selection.first_line and d.last_line >= selection.end_line]
    for outer in around:
        if outer.kind in ("function", "class"):
            yield _Part(outer.first_line, outer.first_line, "around", _AROUND, (outer.signature,), outer.name)
    parents = _parents(definitions)
    scores = _scores(selection, outside, around, parents, instruction)
    for definition, (kind, score) in scores.items():
        above = [outer for outer in _chain(definition, parents) if outer in scores]
        if all(scores[outer][1] < score for outer in above):
            yield _definition(definition, kind, score, lines, parents)
    yield from _callers(selection, outside, set(scores))


def _outside(selection: Selection, definitions: Sequence[Definition]) -> list[Definition]:
    return [
        d
        for d in definitions
        if d.kind in ("function", "class")
        and (d.last_line < selection.first_line or d.first_line >= selection.end_line)
    ]


def _definition(
    definition: Definition,
    kind: str,
    score: float,
    lines: Sequence[str],
    parents: Mapping[Definition, Definition | None],
) -> _Part:
    """Return a definition: whole, or a class with the declarations of its members, or the declaration alone."""
    whole = "\n".join(lines[definition.first_line : definition.last_line + 1])
    members = [inner.signature for inner, outer in parents.items() if outer == definition][:_MAX_MEMBERS]
    outline = "\n".join((definition.signature, *members))
    forms = [whole, outline, definition.signature] if definition.kind == "class" else [whole, definition.signature]
    if kind == "near" and definition.kind == "function":
        del forms[0]
    return _Part(definition.first_line, definition.last_line, kind, score, tuple(forms), definition.name)


def _parents(definitions: Sequence[Definition]) -> dict[Definition, Definition | None]:
    """Return the definition that each one is directly in; an outer one comes before an inner one."""
    parents: dict[Definition, Definition | None] = {}
    stack: list[Definition] = []
    for definition in definitions:
        while stack and stack[-1].last_line < definition.last_line:
            stack.pop()
        parents[definition] = stack[-1] if stack else None
        stack.append(definition)
    return parents


def _chain(definition: Definition, parents: Mapping[Definition, Definition | None]) -> Iterator[Definition]:
    """Yield the definitions that one is in, the innermost first."""
    outer = parents[definition]
    while outer is not None:
        yield outer
        outer = parents[outer]


def _scores(
    selection: Selection,
    outside: Sequence[Definition],
    around: Sequence[Definition],
    parents: Mapping[Definition, Definition | None],
    instruction: str,
) -> dict[Definition, tuple[str, float]]:
    """Return how each definition outside the lines was found, and what that is worth."""
    lines = selection.redacted_lines
    used = set(IDENTIFIER.findall(selection.code)) | (set(IDENTIFIER.findall(instruction)) if instruction else set())
    found: dict[Definition, tuple[str, float]] = {d: ("used", _USED) for d in outside if d.name in used}
    signatures = " ".join(d.signature for d in (*found, *around))
    types = set(IDENTIFIER.findall(signatures)) - {d.name for d in found}
    members = set(_MEMBER.findall(selection.code))
    asked = _name_parts(instruction)
    for d in outside:
        if d in found:
            continue
        if d.kind == "class" and d.name in types:
            found[d] = ("type", _TYPE)
        elif d.kind == "class" and (shared := members & _declared(lines[d.first_line : d.last_line + 1])):
            found[d] = ("members", _MEMBERS + len(shared) / (1 + len(members)))
        elif not selection.lines and parents[d] is not None and parents[d] not in around:
            continue  # a method: its class has it
        elif not selection.lines and (
            common := len(asked & _name_parts("\n".join(lines[d.first_line : d.last_line + 1][:_MAX_ASKED_LINES])))
        ):
            found[d] = ("asked", _ASKED + min(common, 9) / 10)
        elif not selection.lines:
            found[d] = ("near", _NEAR / (1 + abs(d.first_line - selection.first_line) / 1000))
    return found


def _callers(selection: Selection, outside: Sequence[Definition], taken: set[Definition]) -> Iterator[_Part]:
    """Yield the functions of the file that call the selected definition, or the lines around the call."""
    own = selection.definition
    if own is None or own.kind != "function":
        return
    lines, callers = selection.redacted_lines, 0
    for d in outside:
        if d.kind != "function" or d in taken or callers == _MAX_CALLERS:
            continue
        body = lines[d.first_line : d.last_line + 1]
        at = next((number for number, line in enumerate(body) if own.name in CALL.findall(line)), None)
        if at is not None:
            callers += 1
            short = "\n".join(dedented(list(dict.fromkeys((*d.signature.split("\n"), body[at])))))
            forms = ("\n".join(dedented(body)), short) if len(body) <= _MAX_CALLER_LINES else (short,)
            yield _Part(d.first_line, d.last_line, "caller", _CALLER, forms, d.name)


def _declared(lines: Sequence[str]) -> set[str]:
    """Return the names that the body of a class may declare: the first word of a line, or what a method sets."""
    words: set[str] = set()
    for line in lines[1:]:
        words.update(IDENTIFIER.findall(line.replace("self.", " ").replace("this.", " "))[:3])
    return words


def _name_parts(text: str) -> frozenset[str]:
    """Return the words that a text and the names in it consist of, in lower case, without the s of a plural."""
    return frozenset(part.lower().rstrip("s") for part in _NAME_PART.findall(text))
