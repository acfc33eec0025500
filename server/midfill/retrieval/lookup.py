"""A question about a cursor -> candidates for snippets, from the catalogue.

What a question depends on is chosen so that typing does not change the answer: the text comes without the cursor's
line, and what counts is the block round the cursor and the file's imports.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from midfill.code.identifiers import CALL, IDENTIFIER
from midfill.code.languages import language_of
from midfill.code.source_files import read_text
from midfill.code.syntax import Block, Definition, Syntax
from midfill.retrieval.inverted_index import InvertedIndex, Stamp, stamp_of
from midfill.retrieval.related import imported_files, imported_names, nearest, siblings

_WHOLE_LINES = 12
"""A definition of so many lines is shown whole, a longer one by its signature, a class by those of its members."""
_MOST_CHARACTERS = 1_600
_MOST_MEMBERS = 40
_NEAR_LINES = 20
"""What counts as near a cursor outside any function."""
_MOST_DEFINITIONS = 16
_MOST_FILES_DEFINING = 4
"""A name defined in more files than that says little."""
_IMPORTED, _FROM_IMPORTED_FILE, _OWN, _ONLY_ONE, _UNUSED, _NEAREST = 5.0, 4.5, 4.0, 3.5, 3.0, 2.2
"""What a definition is worth, by how its name was found; a sibling's outline is worth 2, a similar chunk 1 to 2."""
_SIMILAR = 4
_FILES_REMEMBERED = 32
_LEAST_SIMILAR = 0.15
_CONSTANT = 60
"""Characters of a constant among all that a module has: its name says more than its value."""
_MADE_AND_CALLED = ("__init__", "__new__", "__call__")
_PART = re.compile(r"[A-Z]?[a-z]{2,}|[A-Z]{2,}(?![a-z])")


@dataclass(frozen=True)
class LookupRequest:
    """Where somebody types."""

    path: str
    language: str
    """LSP language id, "" to go by the path."""
    text: str
    """The document, with nothing in the cursor's line."""
    line: int
    window: tuple[int, int]
    """First and last line that the prompt has in any case."""
    called: tuple[str, ...] = ()
    """Names of which a call or a look-up has been begun in the cursor's line."""


@dataclass(frozen=True)
class Candidate:
    """A piece of a file that may be worth showing."""

    path: str
    first_line: int
    last_line: int
    text: str
    kind: str
    """``definition``, ``sibling``, ``recent`` or ``similar``."""
    score: float
    """More is better, and comparable between kinds."""


def candidates(question: LookupRequest, catalogue: InvertedIndex) -> list[Candidate]:
    """Return what may be worth showing, the best first, without what the window has."""
    return _Lookup(question, catalogue).run()


def to_message(question: LookupRequest) -> dict[str, Any]:
    """Return a question as plain data."""
    return asdict(question)


def from_message(message: dict[str, Any]) -> LookupRequest:
    """Return the question that :func:`to_message` was given."""
    window = (int(message["window"][0]), int(message["window"][1]))
    return LookupRequest(**{**message, "window": window, "called": tuple(message["called"])})


class _Lookup:
    """One question, and the files it has led to."""

    def __init__(self, question: LookupRequest, catalogue: InvertedIndex) -> None:
        self._question = question
        self._catalogue = catalogue
        self._language = language_of(question.path, question.language)
        self._syntax = Syntax(question.text, self._language)
        self._lines: dict[str, list[str]] = {question.path: question.text.split("\n")}
        self._outlines: dict[str, Sequence[Definition]] = {question.path: self._syntax.definitions()}

    def run(self) -> list[Candidate]:
        block = self._syntax.block_at(self._question.line)
        near = self._near(block)
        found = [*self._definitions(near), *self._siblings(), *self._similar(near)]
        unique: dict[tuple[str, int, int], Candidate] = {}
        for candidate in sorted(found, key=lambda c: -c.score):
            if not self._is_in_window(candidate.path, candidate.first_line, candidate.last_line):
                unique.setdefault((candidate.path, candidate.first_line, candidate.last_line), candidate)
        return list(unique.values())

    def _near(self, block: Block | None) -> str:
        lines = self._lines[self._question.path]
        if block is None or block.kind == "section":
            at = self._question.line
            return "\n".join(lines[max(at - _NEAR_LINES, 0) : at + _NEAR_LINES])
        return "\n".join(lines[block.first_line : block.last_line + 1])

    def _definitions(self, near: str) -> Iterator[Candidate]:
        used = Counter(IDENTIFIER.findall(near))
        called = self._question.called
        taken: dict[str, list[str]] = {}  # an imported name -> where it may be defined
        files: list[str] = []
        for one in self._syntax.imports():
            found = imported_files(one, self._question.path, self._language, self._catalogue.named, self._catalogue.has)
            files += found
            for name in imported_names(one, self._language):
                taken.setdefault(name, []).extend(found)
        # A local variable may be called like something elsewhere: only calls and what is written like a type count.
        telling = {*CALL.findall(near), *(name for name in used if name[:1].isupper())}
        names = dict.fromkeys((*called, *taken, *(name for name in used if name in telling)))
        left = _MOST_DEFINITIONS
        for name in sorted(names, key=lambda name: (name not in called, name not in taken, -used[name])):
            if name in taken and not taken[name]:
                continue  # a library's
            if module := self._module(name, taken.get(name, [])):
                yield from self._contents(module, near, _worth(name in called, _IMPORTED, used[name]))
                continue
            for path, definition, certainty in islice(self._places(name, taken.get(name, []), files), 2):
                if left and not self._is_in_window(path, definition.first_line, definition.last_line):
                    left -= 1
                    yield self._candidate(path, definition, _worth(name in called, certainty, used[name]))
        for path in dict.fromkeys(files):  # `import shop.pricing`: all that it has, if nothing of it is used yet
            if path not in {place for places in taken.values() for place in places}:
                yield from self._outline(path, "definition", 2.5)

    def _module(self, name: str, files: list[str]) -> str | None:
        """Return the file that an imported name stands for as a whole, None for a name that a file defines."""
        if any(definition.name == name for path in files for definition in self._outline_of(path)):
            return None
        return next((path for path in files if Path(path).stem == name), None)

    def _contents(self, path: str, near: str, score: float) -> Iterator[Candidate]:
        """Yield what a module has, as one candidate: first what is called like what stands near, as far as it fits."""
        outline = [
            replace(d, signature=d.signature[:_CONSTANT]) if d.kind == "constant" else d
            for d in _outermost(self._outline_of(path))
            if not d.name.startswith("_")
        ]
        telling = _parts(near)
        kept: list[Definition] = []
        room = _MOST_CHARACTERS
        for definition in sorted(outline, key=lambda d: -len(telling & _parts(d.name))):
            room -= len(definition.signature) + 1
            if room < 0:
                break
            kept.append(definition)
        kept.sort(key=lambda definition: definition.first_line)
        if kept:
            yield Candidate(path, kept[0].first_line, kept[-1].last_line, _joined("", kept), "definition", score)

    def _places(self, name: str, preferred: list[str], imported: list[str]) -> Iterator[tuple[str, Definition, float]]:
        """Yield where ``name`` is defined, and how sure that is: here, in what is imported, else where it is clear."""
        own = [definition for definition in self._outlines[self._question.path] if definition.name == name]
        if own:
            yield self._question.path, own[0], _OWN
            return
        defining = [path for path in self._catalogue.defining(name) if self._is_of_our_kind(path)]
        for paths, certainty in ((preferred, _IMPORTED), (imported, _FROM_IMPORTED_FILE)):
            known = next((path for path in paths if path in defining), None)
            if known:
                yield from self._defined_in(known, name, certainty)
                return
        if 0 < len(defining) <= _MOST_FILES_DEFINING and len(name) > 3:
            certainty = _ONLY_ONE if len(defining) == 1 else _NEAREST
            yield from self._defined_in(nearest(self._question.path, defining)[0], name, certainty)

    def _is_of_our_kind(self, path: str) -> bool:
        scripts = ("javascript", "typescript", "tsx")
        grammar, ours = language_of(path).grammar, self._language.grammar
        same = grammar == ours or (grammar in scripts and ours in scripts) or {grammar, ours} == {"c", "cpp"}
        return same and path != self._question.path

    def _defined_in(self, path: str, name: str, certainty: float) -> Iterator[tuple[str, Definition, float]]:
        yield from ((path, definition, certainty) for definition in self._outline_of(path) if definition.name == name)

    def _siblings(self) -> Iterator[Candidate]:
        for path in siblings(self._question.path, self._catalogue.named)[:1]:
            yield from self._outline(path, "sibling", 2.0)

    def _similar(self, near: str) -> Iterator[Candidate]:
        hits = self._catalogue.similar(near, 4 * _SIMILAR)
        wanted = [hit for hit in hits if hit.score >= _LEAST_SIMILAR and hit.path != self._question.path][:_SIMILAR]
        for hit in wanted:
            lines = self._lines_of(hit.path)[hit.first_line : hit.last_line + 1]
            text = "\n".join(lines).strip("\n")
            if text.strip():
                yield Candidate(hit.path, hit.first_line, hit.last_line, text, "similar", 1 + hit.score)

    def _candidate(self, path: str, definition: Definition, score: float) -> Candidate:
        lines = self._lines_of(path)
        last = definition.last_line
        if last - definition.first_line < _WHOLE_LINES and last < len(lines):
            text = "\n".join(lines[definition.first_line : last + 1])
        else:
            members = _members(definition, self._outline_of(path)) if definition.kind == "class" else []
            if path != self._question.path:
                members = [member for member in members if _is_for_others(member.name)]
            text = _joined(definition.signature, members)
        return Candidate(path, definition.first_line, last, text[:_MOST_CHARACTERS], "definition", score)

    def _outline(self, path: str, kind: str, score: float) -> Iterator[Candidate]:
        """Yield the signatures of all that a file defines, as one candidate; nothing for a file without any."""
        outline = [d for d in self._outline_of(path) if d.kind != "constant"]
        text = _joined("", _outermost(outline))
        if text:
            yield Candidate(path, outline[0].first_line, outline[-1].last_line, text[:_MOST_CHARACTERS], kind, score)

    def _outline_of(self, path: str) -> Sequence[Definition]:
        if path not in self._outlines:
            self._catalogue.update(path)
            self._outlines[path] = self._catalogue.definitions(path)
        return self._outlines[path]

    def _lines_of(self, path: str) -> list[str]:
        if path not in self._lines:
            self._lines[path] = _lines(path, stamp_of(path))
        return self._lines[path]

    def _is_in_window(self, path: str, first: int, last: int) -> bool:
        return path == self._question.path and first <= self._question.window[1] and last >= self._question.window[0]


@lru_cache(_FILES_REMEMBERED)
def _lines(path: str, _stamp: Stamp | None) -> list[str]:
    return (read_text(Path(path)) or "").split("\n")


def _worth(called: bool, certainty: float, used: int) -> float:
    """Return what a definition is worth: what is being called, else by certainty and how often it is used near by."""
    if called:
        return 6.0
    return _UNUSED if certainty == _IMPORTED and not used else certainty + min(used, 9) / 10


def _members(whole: Definition, outline: Sequence[Definition]) -> list[Definition]:
    within = [d for d in outline if whole.first_line <= d.first_line and d.last_line <= whole.last_line and d != whole]
    return _outermost(within)


def _is_for_others(name: str) -> bool:
    return not name.startswith("_") or name in _MADE_AND_CALLED


def _parts(text: str) -> frozenset[str]:
    """Return the words that names are made of, in lower case."""
    return frozenset(part.lower() for part in _PART.findall(text))


def _outermost(outline: Sequence[Definition]) -> list[Definition]:
    """Leave out what is defined in a function; ``outline`` is in the order of first lines."""
    kept: list[Definition] = []
    first = last = -1  # of the last function that is kept
    for definition in outline:
        if not (first < definition.first_line and definition.last_line <= last):
            kept.append(definition)
            if definition.kind == "function":
                first, last = definition.first_line, definition.last_line
    return kept


def _joined(head: str, members: list[Definition]) -> str:
    return "\n".join(part for part in (head, *(member.signature for member in members[:_MOST_MEMBERS])) if part)
