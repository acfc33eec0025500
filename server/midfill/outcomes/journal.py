"""What became of each request: for `midfill why`, without a word of any document on disk.

The last requests are kept whole in memory, so that an editor can show the exact prompt; the file in the cache folder,
which `midfill why` reads while the server runs, has verdicts only: places, numbers and reason codes.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cattrs

from midfill.common.paths import cache_dir
from midfill.completion.confidence import confidence
from midfill.completion.types import Completion, Request

_KEPT = 50
_MOST_BYTES = 400_000
"""Of the file, after which it is cut to its last ``_KEPT`` lines."""


@dataclass(frozen=True, kw_only=True)
class PartEntry:
    """Where one part of a prompt comes from."""

    kind: str
    path: str
    first_line: int
    last_line: int
    """Counted from 1, both included; 0 for what stands in no file."""
    tokens: int


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What was asked and what came of it, without text."""

    number: int
    at: float
    """Seconds since 1970."""
    path: str
    line: int
    column: int
    """Of the cursor, from 1."""
    automatic: bool
    reason: str
    """Why nothing was suggested; "" when something was."""
    characters: int
    lines: int
    """Of the suggestion."""
    model: str
    prompt_tokens: int
    reused_tokens: int
    tokens: int
    confidence: float | None
    """The probability that all of it is right, by the model's own lights; None without a suggestion."""
    stopped_by: str
    changes: list[tuple[str, int]]
    parts: list[PartEntry]
    milliseconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """A request and its answer, as they were."""

    request: Request
    completion: Completion
    verdict: Verdict


class Journal:
    """The requests of one server, the latest last."""

    def __init__(self, file: Path | None = None) -> None:
        """Write verdicts to ``file`` too, if there is one; a file that cannot be written is done without."""
        self.file = file
        """May be exchanged."""
        self._number = 0
        self.entries: deque[Entry] = deque(maxlen=_KEPT)

    def add(self, request: Request, completion: Completion) -> Entry:
        """Take in what was answered."""
        self._number += 1
        entry = Entry(request, completion, verdict_on(request, completion, self._number))
        self.entries.append(entry)
        if self.file is not None:
            with contextlib.suppress(OSError):
                _append(self.file, json.dumps(to_json(entry.verdict)))
        return entry


def journal_file() -> Path:
    """Return where the verdicts of this machine's servers are."""
    return cache_dir() / "journal.jsonl"


def read_verdicts(file: Path, last: int) -> list[Verdict]:
    """Return the ``last`` verdicts of a file, the latest last; lines that are damaged are left out."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    verdicts = []
    for line in reversed(lines):
        with contextlib.suppress(ValueError, cattrs.BaseValidationError):
            verdicts.append(cattrs.structure(json.loads(line), Verdict))
        if len(verdicts) == last:
            break
    return verdicts[::-1]


def verdict_on(request: Request, completion: Completion, number: int) -> Verdict:
    """Say what became of a request."""
    start = request.text.rfind("\n", 0, request.offset) + 1
    line = request.text.count("\n", 0, request.offset)
    return Verdict(
        number=number,
        at=time.time(),
        path=request.path,
        line=line + 1,
        column=request.offset - start + 1,
        automatic=request.automatic,
        reason=str(completion.reason),
        characters=len(completion.text),
        lines=len(completion.text.splitlines()),
        model=completion.model,
        prompt_tokens=completion.prompt_tokens,
        reused_tokens=completion.reused_tokens,
        tokens=completion.tokens,
        confidence=confidence(completion.logprobs),
        stopped_by=completion.stopped_by,
        changes=list(completion.changes),
        parts=_parts(request, completion),
        milliseconds=completion.milliseconds,
    )


def _parts(request: Request, completion: Completion) -> list[PartEntry]:
    return [
        PartEntry(
            kind=part.kind,
            path=part.path or (request.path if part.first_line >= 0 else ""),
            first_line=part.first_line + 1,
            last_line=part.last_line + 1,
            tokens=len(part.ids),
        )
        for part in completion.parts
    ]


def to_json(verdict: Verdict) -> dict[str, Any]:
    """Return what JSON can hold."""
    return asdict(verdict)


def _append(file: Path, line: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(file, "a", encoding="utf-8", opener=_private) as opened:
        opened.write(line + "\n")
        size = opened.tell()
    if size > _MOST_BYTES:
        lines = file.read_text(encoding="utf-8").splitlines()[-_KEPT:]
        scratch = file.with_suffix(f".{os.getpid()}")
        with open(scratch, "w", encoding="utf-8", opener=_private) as opened:
            opened.write("".join(f"{kept}\n" for kept in lines))
        scratch.replace(file)


def _private(path: str, flags: int) -> int:
    """Open for this user alone: the file says which files somebody works on."""
    return os.open(path, flags, 0o600)
