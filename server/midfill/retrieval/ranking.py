"""What of the workspace is worth showing the model at a cursor: a ranked list of snippets.

The list stays the same while somebody types in a line, and changes little from line to line in the same function, so
that a prompt that begins with it finds its KV cache again: what counts is the block round the cursor without the
cursor's line, and what a file imports; a snippet that was shown before is kept against one that is only a little
better, and keeps its place. A call begun in the line is the exception: its definition is worth a new prompt.
"""

from __future__ import annotations

import concurrent.futures
import re
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from midfill.code.identifiers import CALL, similarity, words
from midfill.code.syntax import MOST_CHARACTERS
from midfill.privacy.ignore import Ignore
from midfill.privacy.secrets import redact
from midfill.prompt.snippets import Snippet
from midfill.retrieval.index import Found, WorkspaceIndex
from midfill.retrieval.lookup import Candidate, LookupRequest
from midfill.retrieval.recent_edits import Chunk, RecentEdits

_WAIT = 0.010
_KEPT = 1.25
"""What was shown last counts for so much more."""
_MOST_RECENT = 3
_MOST_SNIPPETS = 16
_THE_SAME = 0.8
_KNOWN = 0.5
"""As for recent chunks: one that shares so many words with the window has little to add."""
_NEAR_LINES = 40
_WINDOW_STEP = 32
"""The window is taken in steps of so many lines, for typing moves its ends."""
_DOCUMENTS = 16
"""So many documents' last lists are remembered."""
_CALLS = 2
_LOOKED_UP = re.compile(r"([^\W\d]\w*)\.\w*\Z")
"""What stands before the dot when a member is being typed."""


@dataclass(frozen=True)
class _Shown:
    """What one document was shown last."""

    key: object
    candidates: Found
    recent: tuple[Chunk, ...]
    budget: int
    chosen: tuple[Candidate, ...]
    snippets: list[Snippet]


class SnippetRanking:
    """Gathers snippets for a cursor; for use by one thread, but for :meth:`visited`, which another one may call."""

    def __init__(self, ignore: Ignore, index: WorkspaceIndex) -> None:
        self._ignore = ignore
        self._index = index
        self._recent = RecentEdits()
        self._shown: dict[str, _Shown] = {}
        self._asked: tuple[object, Future[Found]] | None = None

    def visited(self, path: Path, text: str, offset: int) -> None:
        """Remember that somebody edited or looked at ``path`` at ``offset``; nothing of a file that may not contribute.

        Worth calling when a document is opened, saved, left, or was edited a while; it need not be at each keystroke.
        """
        if self._ignore.allows(path):
            self._recent.add(str(_absolute(path)), text, text.count("\n", 0, offset))

    def forget(self, path: Path) -> None:
        """Forget what was remembered of a document."""
        self._recent.forget(str(_absolute(path)))
        self._shown.pop(str(_absolute(path)), None)

    def snippets(
        self,
        path: Path,
        text: str,
        offset: int,
        *,
        language: str = "",
        budget: int = 4_000,
        window: int = 8_000,
        wait: float = _WAIT,
    ) -> list[Snippet]:
        """Return what to show the model at ``offset`` of the document ``path``, which need not be saved.

        Those shown for the last request keep their places, and new ones come after them; ``score`` ranks them.

        Args:
            path: The document's; it may lie outside the workspace or not exist.
            text: All of it, with plain newlines.
            offset: The cursor's, in characters.
            language: The LSP language id, "" to go by the path.
            budget: Most characters of all snippets' texts together.
            window: Characters round the cursor that the prompt has in any case, three quarters of them before it.
            wait: Seconds to wait for the index. If it takes longer, the last list is returned, and the next request
                for this place finds the new one.
        """
        name = str(_absolute(path))
        question = _question(name, language, text, offset, window)
        key = (_fingerprint(question), self._index.generation)
        shown = self._shown.get(name)
        recent = tuple(chunk for chunk in self._recent.besides(name) if self._ignore.allows(Path(chunk.path)))
        if shown and (shown.key, shown.recent, shown.budget) == (key, recent, budget):
            return shown.snippets
        fresh = self._ask(key, question, wait) if not shown or shown.key != key else shown.candidates
        found = fresh if fresh is not None else shown.candidates if shown else []
        near = words(_near(question))
        chosen = _choose([*found, *_recent(recent, near)], near, shown.chosen if shown else (), budget)
        snippets = [self._snippet(candidate) for candidate in chosen]
        if shown and [s.text for s in snippets] == [s.text for s in shown.snippets]:
            snippets = shown.snippets
        self._shown.pop(name, None)
        self._shown[name] = _Shown(key if fresh is not None else None, found, recent, budget, tuple(chosen), snippets)
        while len(self._shown) > _DOCUMENTS:
            del self._shown[next(iter(self._shown))]
        return snippets

    def _ask(self, key: object, question: LookupRequest, wait: float) -> Found | None:
        """Ask the index; None when it has not answered in time. The same question is asked once."""
        if self._asked is None or self._asked[0] != key:
            if self._asked is not None:
                self._asked[1].cancel()
            self._asked = (key, self._index.ask(question))
        done, _ = concurrent.futures.wait([self._asked[1]], timeout=wait)
        return self._asked[1].result() if done else None

    def _snippet(self, candidate: Candidate) -> Snippet:
        folder = self._ignore.folder_of(Path(candidate.path))
        path = Path(candidate.path)
        relative = path.relative_to(folder).as_posix() if folder and path.is_relative_to(folder) else path.name
        return Snippet(
            relative, candidate.first_line, candidate.last_line, candidate.text, candidate.kind, candidate.score
        )


def _question(path: str, language: str, text: str, offset: int, window: int) -> LookupRequest:
    """Ask about a cursor without its line, which changes with each keystroke."""
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    end = len(text) if end < 0 else end
    line = text.count("\n", 0, start)
    first = text.count("\n", 0, max(start - window * 3 // 4, 0))
    last = line + text.count("\n", end, end + window // 4)
    steps = (first // _WINDOW_STEP * _WINDOW_STEP, -(-last // _WINDOW_STEP) * _WINDOW_STEP)
    looked_up = _LOOKED_UP.search(text, start, offset)
    called = tuple(dict.fromkeys(CALL.findall(text, start, offset)))[-_CALLS:]
    called += (looked_up[1],) if looked_up and looked_up[1] not in called else ()
    rest = text[:start] + text[end:]
    if len(rest) > MOST_CHARACTERS:  # too long to parse in any case: what stands near by is enough
        cut = max(start - window, 0)
        cut = text.rfind("\n", 0, cut) + 1
        rest = text[cut:start] + text[end : end + window]
        skipped = text.count("\n", 0, cut)
        return LookupRequest(path, language, rest, line - skipped, (0, rest.count("\n")), called)
    return LookupRequest(path, language, rest, line, steps, called)


def _fingerprint(question: LookupRequest) -> object:
    """Return what tells one question from another, without keeping its text."""
    return replace(question, text=""), len(question.text), hash(question.text)


def _near(question: LookupRequest) -> str:
    lines = question.text.split("\n")
    return "\n".join(lines[max(question.line - _NEAR_LINES, 0) : question.line + _NEAR_LINES])


def _recent(chunks: Iterable[Chunk], near: frozenset[str]) -> list[Candidate]:
    """Return the recent chunks that have most to do with what stands near, and that it does not say already."""
    scored = []
    for age, chunk in enumerate(chunks):
        alike = similarity(chunk.words, near)
        if 0 < alike <= _KNOWN:
            score = 1.2 + alike + 0.3 / (1 + age)
            scored.append(Candidate(chunk.path, chunk.first_line, chunk.last_line, chunk.text, "recent", score))
    return sorted(scored, key=lambda candidate: -candidate.score)[:_MOST_RECENT]


def _choose(
    found: list[Candidate], near: frozenset[str], before: tuple[Candidate, ...], budget: int
) -> list[Candidate]:
    """Take the best within the budget, without secrets and without saying anything twice; old ones stay in place."""
    places = {_place(candidate): number for number, candidate in enumerate(before)}
    chosen: list[Candidate] = []
    room = budget
    for candidate in sorted(found, key=lambda c: -c.score * (_KEPT if _place(c) in places else 1)):
        text = _without_secrets(candidate.text)
        if len(text) > room or len(chosen) >= _MOST_SNIPPETS or _says_nothing_new(candidate, chosen, near):
            continue
        chosen.append(replace(candidate, text=text))
        room -= len(text)
    files = {path: number for number, path in reversed(list(enumerate(candidate.path for candidate in chosen)))}
    # New ones of one file together, which needs to be named once then.
    return sorted(chosen, key=lambda c: (places.get(_place(c), len(places)), files[c.path]))


def _says_nothing_new(candidate: Candidate, chosen: list[Candidate], near: frozenset[str]) -> bool:
    said = words(candidate.text)
    if candidate.kind == "similar" and similarity(said, near) > _KNOWN:
        return True
    return any(_overlap(candidate, other) or similarity(said, words(other.text)) > _THE_SAME for other in chosen)


def _overlap(new: Candidate, other: Candidate) -> bool:
    """Say whether half of the new one's lines, or more, are those of the other one."""
    shared = min(new.last_line, other.last_line) - max(new.first_line, other.first_line) + 1
    return new.path == other.path and shared * 2 > new.last_line - new.first_line + 1


def _place(candidate: Candidate) -> tuple[str, int, str]:
    return candidate.path, candidate.first_line, candidate.kind


@lru_cache(256)
def _without_secrets(text: str) -> str:
    return redact(text).text


def _absolute(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return path
