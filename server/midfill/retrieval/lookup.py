"""Finds the candidates for snippets at a cursor, in the index.

The answer does not change while the user types within a line: the request's text has no cursor line, and the answer
depends only on the block around the cursor and on the file's imports.
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
from midfill.code.syntax import Block, Definition, Syntax
from midfill.common.file_system import FileStamp, stamp_of
from midfill.privacy.secrets import RedactedText, redact
from midfill.retrieval.inverted_index import InvertedIndex
from midfill.retrieval.redacted_files import read_redacted_text
from midfill.retrieval.related_files import imported_files, imported_names, nearest, siblings

_MAX_WHOLE_LINES = 12
"""A longer definition is shown by its signature, a longer class by its signature and those of its members."""
_MAX_CANDIDATE_CHARACTERS = 1_600
_MAX_MEMBERS = 40
"""Maximum number of signatures in one candidate."""
_NEARBY_LINES = 20
"""Number of lines above and below a cursor outside any function that count as its block."""
_MAX_NAMES = 400
"""Maximum number of names, and of imports, that are looked up."""
_MAX_DEFINITIONS = 16
_MAX_DEFINING_FILES = 4
"""A name that more files define, without an import, is not looked up."""
_IMPORTED, _FROM_IMPORTED_FILE, _OWN, _ONLY_ONE, _UNUSED, _NEAREST = 5.0, 4.5, 4.0, 3.5, 3.0, 2.2
"""Scores of a definition, by how it was found. For comparison: a sibling's outline has 2, a similar chunk 1 to 2."""
_MAX_SIMILAR_CHUNKS = 4
_MIN_SIMILARITY = 0.15
"""Minimum score of a similar chunk."""
_MAX_CACHED_FILES = 32
_MAX_CONSTANT_CHARACTERS = 60
"""Maximum number of characters of a constant in a module's contents: its name matters more than its value."""
_PUBLIC_SPECIAL_METHODS = ("__init__", "__new__", "__call__")
"""Special methods that callers of a class use."""
_NAME_PART = re.compile(r"[A-Z]?[a-z]{2,}|[A-Z]{2,}(?![a-z])")


@dataclass(frozen=True)
class LookupRequest:
    """The place of a cursor, for which candidates are looked up."""

    path: str
    language: str
    """LSP language id; "" to use the path."""
    text: str
    """The document with an empty cursor line."""
    line: int
    """The cursor's line."""
    window: tuple[int, int]
    """First and last line that the prompt contains anyway."""
    called: tuple[str, ...] = ()
    """Names whose call or member the user has begun in the cursor's line."""
    cursor_text: str = ""
    """The cursor's line: a secret may begin in it, and end in a line that stays."""


@dataclass(frozen=True)
class Candidate:
    """A part of a file that may become a snippet."""

    path: str
    first_line: int
    last_line: int
    text: str
    kind: str
    """``definition``, ``sibling``, ``recent`` or ``similar``; for an action also ``caller`` or ``test``."""
    score: float
    """Higher is better; scores of different kinds can be compared."""


def candidates(request: LookupRequest, index: InvertedIndex) -> list[Candidate]:
    """Return the candidates, the best first, without those in the request's window."""
    return _Lookup(request, index).run()


def to_message(request: LookupRequest) -> dict[str, Any]:
    """Return a request as plain data."""
    return asdict(request)


def from_message(message: dict[str, Any]) -> LookupRequest:
    """Return the request that :func:`to_message` was given."""
    window = (int(message["window"][0]), int(message["window"][1]))
    return LookupRequest(**{**message, "window": window, "called": tuple(message["called"])})


class _Lookup:
    """One request, and the files that were read for it."""

    def __init__(self, request: LookupRequest, index: InvertedIndex) -> None:
        self._request = request
        self._index = index
        self._language = language_of(request.path, request.language)
        text = _without_secrets(request)
        self._syntax = Syntax(text, self._language)
        self._lines: dict[str, list[str]] = {request.path: text.split("\n")}
        self._outlines: dict[str, Sequence[Definition]] = {request.path: self._syntax.definitions()}

    def run(self) -> list[Candidate]:
        nearby = self._nearby(self._syntax.block_at(self._request.line))
        found = [*self._definitions(nearby), *self._siblings(), *self._similar(nearby)]
        unique: dict[tuple[str, int, int], Candidate] = {}
        for candidate in sorted(found, key=lambda c: -c.score):
            if not self._is_in_window(candidate.path, candidate.first_line, candidate.last_line):
                unique.setdefault((candidate.path, candidate.first_line, candidate.last_line), candidate)
        return list(unique.values())

    def _nearby(self, block: Block | None) -> str:
        """Return the lines of the block around the cursor, or the lines around a cursor outside any block."""
        lines = self._lines[self._request.path]
        if block is None or block.kind == "section":
            line = self._request.line
            return "\n".join(lines[max(line - _NEARBY_LINES, 0) : line + _NEARBY_LINES])
        return "\n".join(lines[block.first_line : block.last_line + 1])

    def _definitions(self, nearby: str) -> Iterator[Candidate]:
        """Yield the definitions of the names that are called, imported or used near the cursor."""
        used = Counter(IDENTIFIER.findall(nearby))
        called = self._request.called
        imported: dict[str, list[str]] = {}  # an imported name -> the files that may define it
        files: list[str] = []
        for one in self._syntax.imports()[:_MAX_NAMES]:
            found = imported_files(one, self._request.path, self._language, self._index.named, self._index.has)
            files += found
            for name in imported_names(one, self._language):
                imported.setdefault(name, []).extend(found)
        # A local variable may have the name of a definition elsewhere: only calls and capitalised names count.
        likely = {*CALL.findall(nearby), *(name for name in used if name[:1].isupper())}
        names = dict.fromkeys((*called, *imported, *(name for name in used if name in likely)))
        left = _MAX_DEFINITIONS
        best_first = sorted(names, key=lambda name: (name not in called, name not in imported, -used[name]))
        for name in best_first[:_MAX_NAMES]:
            if name in imported and not imported[name]:
                continue  # a library defines it
            if module := self._module(name, imported.get(name, [])):
                yield from self._contents(module, nearby, _score(name in called, _IMPORTED, used[name]))
                continue
            for path, definition, base in islice(self._places(name, imported.get(name, []), files), 2):
                if left and not self._is_in_window(path, definition.first_line, definition.last_line):
                    left -= 1
                    yield self._candidate(path, definition, _score(name in called, base, used[name]))
        named = {place for places in imported.values() for place in places}
        for path in dict.fromkeys(files):  # `import shop.pricing`: no name is imported from the file
            if path not in named:
                yield from self._outline(path, "definition", 2.5)

    def _module(self, name: str, files: list[str]) -> str | None:
        """Return the file that an imported name means as a whole; None when a file defines the name."""
        if any(definition.name == name for path in files for definition in self._outline_of(path)):
            return None
        return next((path for path in files if Path(path).stem == name), None)

    def _contents(self, path: str, nearby: str, score: float) -> Iterator[Candidate]:
        """Yield a module's public signatures as one candidate.

        When they are too long, those are chosen whose names have most in common with the text near the cursor.
        """
        outline = [
            replace(d, signature=d.signature[:_MAX_CONSTANT_CHARACTERS]) if d.kind == "constant" else d
            for d in _outermost(self._outline_of(path))
            if not d.name.startswith("_")
        ]
        nearby_parts = _name_parts(nearby)
        kept: list[Definition] = []
        room = _MAX_CANDIDATE_CHARACTERS
        for definition in sorted(outline, key=lambda d: -len(nearby_parts & _name_parts(d.name))):
            room -= len(definition.signature) + 1
            if room < 0:
                break
            kept.append(definition)
        kept.sort(key=lambda definition: definition.first_line)
        if kept:
            yield Candidate(path, kept[0].first_line, kept[-1].last_line, _joined("", kept), "definition", score)

    def _places(self, name: str, preferred: list[str], imported: list[str]) -> Iterator[tuple[str, Definition, float]]:
        """Yield the definitions of ``name`` and their scores: in this file, in imported files, else in any file."""
        own = [definition for definition in self._outlines[self._request.path] if definition.name == name]
        if own:
            yield self._request.path, own[0], _OWN
            return
        defining = [path for path in self._index.defining(name) if self._is_compatible(path)]
        for paths, score in ((preferred, _IMPORTED), (imported, _FROM_IMPORTED_FILE)):
            known = next((path for path in paths if path in defining), None)
            if known:
                yield from self._defined_in(known, name, score)
                return
        if 0 < len(defining) <= _MAX_DEFINING_FILES and len(name) > 3:
            score = _ONLY_ONE if len(defining) == 1 else _NEAREST
            yield from self._defined_in(nearest(self._request.path, defining)[0], name, score)

    def _is_compatible(self, path: str) -> bool:
        """Return whether code of the request's language can use the definitions of another file."""
        scripts = ("javascript", "typescript", "tsx")
        grammar, own = language_of(path).grammar, self._language.grammar
        same = grammar == own or (grammar in scripts and own in scripts) or {grammar, own} == {"c", "cpp"}
        return same and path != self._request.path

    def _defined_in(self, path: str, name: str, score: float) -> Iterator[tuple[str, Definition, float]]:
        yield from ((path, definition, score) for definition in self._outline_of(path) if definition.name == name)

    def _siblings(self) -> Iterator[Candidate]:
        for path in siblings(self._request.path, self._index.named)[:1]:
            yield from self._outline(path, "sibling", 2.0)

    def _similar(self, nearby: str) -> Iterator[Candidate]:
        chunks = self._index.similar(nearby, 4 * _MAX_SIMILAR_CHUNKS)
        chunks = [chunk for chunk in chunks if chunk.score >= _MIN_SIMILARITY and chunk.path != self._request.path]
        for chunk in chunks[:_MAX_SIMILAR_CHUNKS]:
            lines = self._lines_of(chunk.path)[chunk.first_line : chunk.last_line + 1]
            text = "\n".join(lines).strip("\n")
            if text.strip():
                yield Candidate(chunk.path, chunk.first_line, chunk.last_line, text, "similar", 1 + chunk.score)

    def _candidate(self, path: str, definition: Definition, score: float) -> Candidate:
        lines = self._lines_of(path)
        last = definition.last_line
        if last - definition.first_line < _MAX_WHOLE_LINES and last < len(lines):
            text = "\n".join(lines[definition.first_line : last + 1])
        else:
            members = _members(definition, self._outline_of(path)) if definition.kind == "class" else []
            if path != self._request.path:
                members = [member for member in members if _is_public(member.name)]
            text = _joined(definition.signature, members)
        return Candidate(path, definition.first_line, last, text[:_MAX_CANDIDATE_CHARACTERS], "definition", score)

    def _outline(self, path: str, kind: str, score: float) -> Iterator[Candidate]:
        """Yield the signatures of a file's functions and classes as one candidate; nothing for a file without any."""
        outline = [d for d in self._outline_of(path) if d.kind != "constant"]
        text = _joined("", _outermost(outline))[:_MAX_CANDIDATE_CHARACTERS]
        if text:
            yield Candidate(path, outline[0].first_line, outline[-1].last_line, text, kind, score)

    def _outline_of(self, path: str) -> Sequence[Definition]:
        """Return the definitions of a file as it is now."""
        if path not in self._outlines:
            self._index.update(path)
            self._outlines[path] = self._index.definitions(path)
        return self._outlines[path]

    def _lines_of(self, path: str) -> list[str]:
        if path not in self._lines:
            self._lines[path] = _lines(path, stamp_of(path))
        return self._lines[path]

    def _is_in_window(self, path: str, first: int, last: int) -> bool:
        return path == self._request.path and first <= self._request.window[1] and last >= self._request.window[0]


def _without_secrets(request: LookupRequest) -> RedactedText:
    """Return the document without secrets, and with an empty cursor line."""
    if not request.cursor_text:
        return redact(request.text).text
    lines = request.text.split("\n")
    lines[request.line] = request.cursor_text
    lines = redact("\n".join(lines)).text.split("\n")
    lines[request.line] = ""
    return RedactedText("\n".join(lines))


@lru_cache(_MAX_CACHED_FILES)
def _lines(path: str, _stamp: FileStamp | None) -> list[str]:
    return (read_redacted_text(Path(path)) or "").split("\n")


def _score(called: bool, base: float, used: int) -> float:
    """Return a definition's score: the highest for a call, else ``base`` plus a little for each use near the cursor."""
    if called:
        return 6.0
    return _UNUSED if base == _IMPORTED and not used else base + min(used, 9) / 10


def _members(whole: Definition, outline: Sequence[Definition]) -> list[Definition]:
    within = [d for d in outline if whole.first_line <= d.first_line and d.last_line <= whole.last_line and d != whole]
    return _outermost(within)


def _is_public(name: str) -> bool:
    return not name.startswith("_") or name in _PUBLIC_SPECIAL_METHODS


def _name_parts(text: str) -> frozenset[str]:
    """Return the words that the names in a text consist of, in lower case."""
    return frozenset(part.lower() for part in _NAME_PART.findall(text))


def _outermost(outline: Sequence[Definition]) -> list[Definition]:
    """Return the definitions that are not within a function; ``outline`` is in the order of first lines."""
    kept: list[Definition] = []
    first = last = -1  # first and last line of the last function that was kept
    for definition in outline:
        if not (first < definition.first_line and definition.last_line <= last):
            kept.append(definition)
            if definition.kind == "function":
                first, last = definition.first_line, definition.last_line
    return kept


def _joined(head: str, members: list[Definition]) -> str:
    return "\n".join(part for part in (head, *(member.signature for member in members[:_MAX_MEMBERS])) if part)
