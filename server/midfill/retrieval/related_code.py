"""Finds what an action should see of other files: what some lines use, the types of that, and where they are called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from midfill.code.identifiers import IDENTIFIER
from midfill.code.languages import language_of
from midfill.retrieval.inverted_index import InvertedIndex
from midfill.retrieval.lookup import Candidate, LookupRequest, candidates
from midfill.retrieval.redacted_files import read_redacted_text
from midfill.retrieval.related_files import is_test

_MAX_TYPES = 8
"""Maximum number of types of found definitions that are looked up."""
_FURTHER = 0.5
"""The score of a type that a found definition names, as a share of that of a name in the lines themselves."""
_MAX_CHUNKS = 24
"""Maximum number of chunks with a name that are read to find a call."""
_MAX_CALLERS = 3
_TEST, _CALLER = 3.4, 2.9
"""Scores of the code that calls the lines; see those of :mod:`midfill.retrieval.lookup`."""
_MAX_WHOLE_LINES = 16
_AROUND_LINES = 3
"""Number of lines above and below a call that are shown of a longer function."""


def related(request: LookupRequest, name: str, index: InvertedIndex) -> list[Candidate]:
    """Return the candidates, the best first. ``name`` is that of the definition whose callers matter; "" for none."""
    found = candidates(request, index)
    known = {(candidate.path, candidate.first_line) for candidate in found}
    own = set(IDENTIFIER.findall(request.text))
    named = dict.fromkeys(word for c in found if c.kind == "definition" for word in IDENTIFIER.findall(c.text))
    types = [word for word in named if word[:1].isupper() and word not in own and index.defining(word)][:_MAX_TYPES]
    further = candidates(replace(request, called=tuple(types)), index) if types else []
    found += [
        replace(candidate, score=candidate.score * _FURTHER)
        for candidate in further
        if candidate.kind == "definition" and (candidate.path, candidate.first_line) not in known
    ]
    found += _callers(request, name, index) if name else ()
    return sorted(found, key=lambda candidate: -candidate.score)


def _callers(request: LookupRequest, name: str, index: InvertedIndex) -> list[Candidate]:
    """Return the code of other files that calls a name: tests first, then the rest, one place of each file."""
    found: dict[str, Candidate] = {}
    own = language_of(request.path, request.language).grammar
    for chunk in index.similar(name, _MAX_CHUNKS):
        if chunk.path not in found and chunk.path != request.path and language_of(chunk.path).grammar == own:
            found.update((caller.path, caller) for caller in _calls(chunk.path, chunk.first_line, name, index))
    return sorted(found.values(), key=lambda caller: -caller.score)[:_MAX_CALLERS]


def _calls(path: str, first_line: int, name: str, index: InvertedIndex) -> Iterator[Candidate]:
    """Yield the first call of a name in a file from a line on: the function that it is in, or the lines around it."""
    lines = (read_redacted_text(Path(path)) or "").split("\n")
    call = re.compile(rf"(?<!def )(?<!func )(?<!function )(?<!fn )(?<!fun )\b{re.escape(name)}\s*\(")
    at = next((number for number in range(first_line, len(lines)) if call.search(lines[number])), None)
    if at is None:
        return
    around = [d for d in index.definitions(path) if d.kind == "function" and d.first_line <= at <= d.last_line]
    inner = max(around, key=lambda d: d.first_line, default=None)
    first, last = max(at - _AROUND_LINES, 0), min(at + _AROUND_LINES, len(lines) - 1)
    if inner and inner.last_line - inner.first_line < _MAX_WHOLE_LINES:
        first, last = inner.first_line, inner.last_line
    elif inner:
        first, last = max(first, inner.first_line), min(last, inner.last_line)
    text = "\n".join(lines[first : last + 1]).strip("\n")
    kind, score = ("test", _TEST) if is_test(path) else ("caller", _CALLER)
    yield Candidate(path, first, last, text, kind, score)
