"""Where the next edit may be: at the cursor first, then where the latest changes have left something to do.

Cheap: names are searched for, and lines are compared by their tokens. A place is only a question to the model, which
may answer that nothing changes there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from midfill.next_edit.difference import line_changes
from midfill.next_edit.examples import LATEST, examples
from midfill.next_edit.renames import tokens
from midfill.next_edit.scopes import scoped_renames, syntax_of
from midfill.next_edit.types import Document, Hunk, Place, Why

MAX_PLACES = 8
_MAX_USES = 200
"""Maximum number of uses of one name that are looked at in a document."""
_MAX_COMPARED_LINES, _MAX_COMPARED_ELSEWHERE = 2_000, 500
"""Maximum number of lines of the changed document, nearest first, and of another one, that are compared with a changed
line."""
_MAX_COMPARED_CHANGES = 8
"""Maximum number of examples that other lines are compared with."""
_MAX_DOCUMENTS = 16
"""Maximum number of documents that are looked at."""
_SCORES: Mapping[Why, float] = {Why.RENAMED: 4.0, Why.SIGNATURE: 3.5, Why.DIAGNOSTIC: 3.0, Why.SAME_SHAPE: 2.5}
_OTHER_DOCUMENT = 2.0
"""By how much a place in another document scores less."""
_SAME_BLOCK = 1.0
"""By how much a place in the function that was changed scores more."""


@dataclass(frozen=True)
class Reach:
    """Which lines one question covers: those of the window that the model may change."""

    above: int
    below: int

    def covers(self, place: Place, other: Place) -> bool:
        """Return whether a question at ``place`` is also one at ``other``."""
        return place.path == other.path and -self.above <= other.line - place.line <= self.below


@dataclass(frozen=True)
class _Found:
    place: Place
    score: float


def places(
    documents: Sequence[Document],
    history: Sequence[Hunk],
    cursor: Place | None,
    reach: Reach,
    *,
    diagnostics: Mapping[str, Sequence[int]] | None = None,
    limit: int = MAX_PLACES,
) -> list[Place]:
    """Return where the next edit may be, the likeliest place first.

    Args:
        documents: the documents that may be looked at, as they are now, without secrets or with them.
        history: recent changes, the latest last. Without any, there is no place.
        cursor: where the cursor is; None if that is no place to look at.
        reach: what one question covers. No two places are covered by one question.
        diagnostics: lines of diagnostics that appeared since, by path.
        limit: maximum number of places.
    """
    if not history:
        return []
    latest = history[-LATEST:]
    changed = {hunk.path for hunk in latest} | ({cursor.path} if cursor else set())
    nearest = sorted(documents, key=lambda document: document.path not in changed)[:_MAX_DOCUMENTS]
    found = [one for document in nearest for one in _in_document(document, latest, (diagnostics or {}))]
    found.sort(key=lambda one: -one.score)
    chosen = [cursor] if cursor is not None else []
    for one in found:
        if len(chosen) >= limit:
            break
        if not any(reach.covers(place, one.place) for place in chosen):
            chosen.append(one.place)
    return chosen


def _in_document(
    document: Document, latest: Sequence[Hunk], diagnostics: Mapping[str, Sequence[int]]
) -> Iterator[_Found]:
    lines = document.text.split("\n")
    own = [hunk for hunk in latest if hunk.path == document.path]
    changed = {line for hunk in own for line in range(hunk.first_line, hunk.end_line)}
    blocks = [block for hunk in own if (block := syntax_of(document).block_at(hunk.first_line)) is not None]
    centre = own[-1].first_line if own else 0
    candidates = [
        *(
            (line, Why.RENAMED)
            for scoped in scoped_renames(document, latest)
            for line in _uses(lines, scoped.rename.old, centre)
            if scoped.covers(line)
        ),
        *(
            (line, Why.SIGNATURE)
            for name in _with_new_parameters(latest, document)
            for line in _calls(lines, name, centre)
        ),
        *((line, Why.DIAGNOSTIC) for line in diagnostics.get(document.path, ())),
        *((line, Why.SAME_SHAPE) for line in _same_shape(lines, latest, centre, is_changed=bool(own))),
    ]
    for line, why in candidates:
        if line in changed or not 0 <= line < len(lines):
            continue
        score = _SCORES[why] - abs(line - centre) / (len(lines) + 1)
        score += _SAME_BLOCK * any(block.first_line <= line <= block.last_line for block in blocks)
        score -= 0 if own else _OTHER_DOCUMENT
        yield _Found(Place(path=document.path, line=line, why=why), score)


def _uses(lines: Sequence[str], name: str, centre: int) -> Iterator[int]:
    """Yield lines that have a name as a whole word, the nearest first."""
    word = re.compile(rf"\b{re.escape(name)}\b")
    found = [number for number, line in enumerate(lines) if name in line and word.search(line)]
    yield from sorted(found, key=lambda line: (line < centre, abs(line - centre)))[:_MAX_USES]


def _calls(lines: Sequence[str], name: str, centre: int) -> Iterator[int]:
    call = re.compile(rf"\b{re.escape(name)}\s*\(")
    yield from (line for line in _uses(lines, name, centre) if call.search(lines[line]))


def _with_new_parameters(latest: Sequence[Hunk], document: Document) -> list[str]:
    """Return the names of functions that take other parameters now, and whose name has not changed."""
    found: dict[str, None] = {}
    for hunk in latest:
        for change in line_changes(hunk.old, hunk.new):
            old, new = "\n".join(change.old), "\n".join(change.new)
            if len(tokens(old)) == len(tokens(new)):  # only names were changed
                continue
            if hunk.path != document.path:
                names = [name for name in tokens(new) if re.search(rf"\b{re.escape(name)}\s*\(", new)][:1]
            else:
                first = hunk.first_line + change.first
                names = [
                    definition.name
                    for definition in syntax_of(document).definitions()
                    if definition.kind == "function" and definition.first_line in range(first, first + len(change.new))
                ]
            found.update(dict.fromkeys(name for name in names if name in tokens(old)))
    return list(found)


def _same_shape(lines: Sequence[str], latest: Sequence[Hunk], centre: int, *, is_changed: bool) -> Iterator[int]:
    """Yield lines that a change fits that was made to others."""
    count = _MAX_COMPARED_LINES if is_changed else _MAX_COMPARED_ELSEWHERE
    nearest = sorted(range(len(lines)), key=lambda line: (abs(line - centre), line < centre))[:count]
    for example in examples(latest)[:_MAX_COMPARED_CHANGES]:
        size = len(example.old)
        inside = (line for line in nearest if line + size <= len(lines))
        yield from (line for line in inside if example.fits(lines[line : line + size]))
