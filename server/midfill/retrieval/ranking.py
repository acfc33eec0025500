"""Chooses the snippets of the workspace for a prompt, as a ranked list.

The list stays the same while the user types within a line, and changes little between the lines of one function. So
the prompt, which begins with it, can reuse its KV cache. To achieve this, the request depends only on the block around
the cursor without the cursor's line, and on the file's imports. A snippet of the last list keeps its place, and only a
clearly better one replaces it. There is one exception: when a call begins in the cursor's line, its definition is
added at once.
"""

from __future__ import annotations

import concurrent.futures
import re
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path

from midfill.code.identifiers import CALL, similarity, words
from midfill.code.syntax import MAX_PARSED_CHARACTERS
from midfill.common.file_system import relative_path
from midfill.common.limits import MAX_LINE_CHARACTERS
from midfill.privacy.ignore_rules import IgnoreRules
from midfill.prompt.snippets import Snippet
from midfill.retrieval.index import WorkspaceIndex
from midfill.retrieval.lookup import Candidate, LookupRequest
from midfill.retrieval.recent_edits import RecentChunk, RecentEdits

_WAIT_SECONDS = 0.010
_STABILITY = 1.25
"""Factor on the score of a candidate that is in the last list."""
_MAX_RECENT_SNIPPETS = 3
_MAX_SNIPPETS = 16
_MAX_SIMILARITY_TO_SNIPPET = 0.8
"""A candidate that is more similar to a chosen snippet is left out."""
_MAX_SIMILARITY_TO_DOCUMENT = 0.5
"""A recent or similar chunk that is more similar to the lines around the cursor is left out."""
_NEARBY_LINES = 40
"""Number of lines above and below the cursor that chunks are compared to."""
_MAX_NEARBY_CHARACTERS = 10_000
"""Maximum number of characters of these lines above and below the cursor."""
_WINDOW_STEP_LINES = 32
"""The window begins and ends at multiples of this line number, so that typing rarely moves it."""
_MAX_DOCUMENTS = 16
"""Maximum number of documents whose last list is remembered."""
_MAX_CALLS = 2
"""Maximum number of calls in the cursor's line that are looked up."""
_MEMBER_OF = re.compile(r"\b([^\W\d]\w*)\.\w*\Z")
"""The name before the dot when the user types a member."""


@dataclass(frozen=True)
class _LastSnippets:
    """The last list of one document, and the inputs that it was made from."""

    key: object
    candidates: list[Candidate]
    recent: tuple[RecentChunk, ...]
    budget: int
    chosen: tuple[Candidate, ...]
    snippets: list[Snippet]


class SnippetRanking:
    """Chooses snippets for a cursor. It is used by one thread; another thread may call :meth:`visited`."""

    def __init__(self, ignore_rules: IgnoreRules, index: WorkspaceIndex) -> None:
        self._ignore_rules = ignore_rules
        self._index = index
        self._recent = RecentEdits()
        self._last: dict[str, _LastSnippets] = {}
        self._pending: tuple[object, Future[list[Candidate]]] | None = None

    def visited(self, path: Path, text: str, offset: int) -> None:
        """Remember that the user edited or looked at ``path`` at ``offset``; an excluded file is not remembered.

        To be called when a document is opened, saved or left, and from time to time while it is edited.
        """
        if self._ignore_rules.allows(path):
            self._recent.add(str(path), text, text.count("\n", 0, offset))

    def forget(self, path: Path) -> None:
        """Forget the recent edits and the last list of a document."""
        self._recent.forget(str(path))
        self._last.pop(str(path), None)

    def snippets(
        self,
        path: Path,
        text: str,
        offset: int,
        *,
        language: str = "",
        budget: int = 4_000,
        window: int = 8_000,
        wait: float = _WAIT_SECONDS,
    ) -> list[Snippet]:
        r"""Return the snippets for a cursor at ``offset`` of the document ``path``, which need not be saved.

        The snippets of the last list keep their places, and new ones follow; ``score`` ranks them.

        Args:
            path: The document's identity; it may be outside the workspace, and the file need not exist.
            text: The whole document, with "\n" as line ending.
            offset: The cursor's offset in characters.
            language: The LSP language id; "" to use the path.
            budget: Maximum number of characters of all snippets together.
            window: Number of characters around the cursor that the prompt contains anyway, three quarters of them
                before the cursor.
            wait: Maximum number of seconds to wait for the index. When it has not answered, the last list is returned,
                and a later call for the same place uses the answer.
        """
        document = str(path)
        request = _request(document, language, text, offset, window)
        key = (_fingerprint(request), self._index.generation)
        last = self._last.get(document)
        recent = tuple(c for c in self._recent.besides(document) if self._ignore_rules.allows(Path(c.path)))
        if last and (last.key, last.recent, last.budget) == (key, recent, budget):
            return last.snippets
        answer = self._look_up(key, request, wait) if not last or last.key != key else last.candidates
        found = answer if answer is not None else last.candidates if last else []
        nearby = words(_nearby_lines(request))
        chosen = _choose([*found, *_recent_candidates(recent, nearby)], nearby, last.chosen if last else (), budget)
        snippets = [snippet_of(candidate, self._ignore_rules) for candidate in chosen]
        if last and [(s.path, s.text) for s in snippets] == [(s.path, s.text) for s in last.snippets]:
            snippets = last.snippets
        self._last.pop(document, None)
        self._last[document] = _LastSnippets(
            key if answer is not None else None, found, recent, budget, tuple(chosen), snippets
        )
        while len(self._last) > _MAX_DOCUMENTS:
            del self._last[next(iter(self._last))]
        return snippets

    def _look_up(self, key: object, request: LookupRequest, wait: float) -> list[Candidate] | None:
        """Return the index's answer; None when it is late. A request that is still open is not sent again."""
        if self._pending is None or self._pending[0] != key:
            if self._pending is not None:
                self._pending[1].cancel()
            self._pending = (key, self._index.look_up(request))
        done, _ = concurrent.futures.wait([self._pending[1]], timeout=wait)
        return self._pending[1].result() if done else None


def snippet_of(candidate: Candidate, ignore_rules: IgnoreRules) -> Snippet:
    """Return a candidate with its path within its folder of the workspace."""
    path = Path(candidate.path)
    return Snippet(
        relative_path(path, ignore_rules.folder_of(path)),
        candidate.first_line,
        candidate.last_line,
        candidate.text,
        candidate.kind,
        candidate.score,
    )


def _request(path: str, language: str, text: str, offset: int, window: int) -> LookupRequest:
    """Return the request for a cursor, without the cursor's line, which changes with each keystroke."""
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    end = len(text) if end < 0 else end
    line = text.count("\n", 0, start)
    first = text.count("\n", 0, max(start - window * 3 // 4, 0))
    last = line + text.count("\n", end, end + window // 4)
    steps = (
        first // _WINDOW_STEP_LINES * _WINDOW_STEP_LINES,
        -(-last // _WINDOW_STEP_LINES) * _WINDOW_STEP_LINES,
    )
    line_prefix = text[max(start, offset - MAX_LINE_CHARACTERS) : offset]
    member_of = _MEMBER_OF.search(line_prefix)
    called = tuple(dict.fromkeys(CALL.findall(line_prefix)))[-_MAX_CALLS:]
    called += (member_of[1],) if member_of and member_of[1] not in called else ()
    cursor_text = text[start : min(end, start + MAX_LINE_CHARACTERS)]
    if start + len(text) - end > MAX_PARSED_CHARACTERS:  # too long to parse: only the text around the cursor is used
        cut = max(start - window, 0)
        cut = text.find("\n", cut, start) + 1 or start
        rest = text[cut:start] + text[end : end + window]
        skipped = text.count("\n", 0, cut)
        return LookupRequest(path, language, rest, line - skipped, (0, rest.count("\n")), called, cursor_text)
    rest = text[:start] + text[end:]
    return LookupRequest(path, language, rest, line, steps, called, cursor_text)


def _fingerprint(request: LookupRequest) -> object:
    """Return a value that differs between requests, without keeping the text or the cursor's line."""
    return replace(request, text="", cursor_text=""), len(request.text), hash(request.text)


def _nearby_lines(request: LookupRequest) -> str:
    lines = request.text.split("\n")
    above = "\n".join(lines[max(request.line - _NEARBY_LINES, 0) : request.line])
    below = "\n".join(lines[request.line : request.line + _NEARBY_LINES])
    return f"{above[-_MAX_NEARBY_CHARACTERS:]}\n{below[:_MAX_NEARBY_CHARACTERS]}"


def _recent_candidates(chunks: Iterable[RecentChunk], nearby: frozenset[str]) -> list[Candidate]:
    """Return the recent chunks that share most words with the lines around the cursor and do not repeat them."""
    scored = []
    for age, chunk in enumerate(chunks):
        shared = similarity(chunk.words, nearby)
        if 0 < shared <= _MAX_SIMILARITY_TO_DOCUMENT:
            score = 1.2 + shared + 0.3 / (1 + age)
            scored.append(Candidate(chunk.path, chunk.first_line, chunk.last_line, chunk.text, "recent", score))
    return sorted(scored, key=lambda candidate: -candidate.score)[:_MAX_RECENT_SNIPPETS]


def _choose(
    found: list[Candidate], nearby: frozenset[str], last: tuple[Candidate, ...], budget: int
) -> list[Candidate]:
    """Return the best candidates within the budget, without repetitions; those of ``last`` keep their places."""
    places = {_place(candidate): number for number, candidate in enumerate(last)}
    chosen: list[Candidate] = []
    room = budget
    for candidate in sorted(found, key=lambda c: -c.score * (_STABILITY if _place(c) in places else 1)):
        if len(candidate.text) > room or len(chosen) >= _MAX_SNIPPETS or _repeats(candidate, chosen, nearby):
            continue
        chosen.append(candidate)
        room -= len(candidate.text)
    files = {path: number for number, path in reversed(list(enumerate(candidate.path for candidate in chosen)))}
    # New snippets of one file stand together, so that the prompt names the file once.
    return sorted(chosen, key=lambda c: (places.get(_place(c), len(places)), files[c.path]))


def _repeats(candidate: Candidate, chosen: list[Candidate], nearby: frozenset[str]) -> bool:
    """Return whether a candidate mostly repeats a chosen one or, for a similar chunk, the lines around the cursor."""
    own = words(candidate.text)
    if candidate.kind == "similar" and similarity(own, nearby) > _MAX_SIMILARITY_TO_DOCUMENT:
        return True
    return any(
        _overlap(candidate, other) or similarity(own, words(other.text)) > _MAX_SIMILARITY_TO_SNIPPET
        for other in chosen
    )


def _overlap(new: Candidate, other: Candidate) -> bool:
    """Return whether more than half of the new candidate's lines are also in the other one."""
    shared = min(new.last_line, other.last_line) - max(new.first_line, other.first_line) + 1
    return new.path == other.path and shared * 2 > new.last_line - new.first_line + 1


def _place(candidate: Candidate) -> tuple[str, int, str]:
    return candidate.path, candidate.first_line, candidate.kind
