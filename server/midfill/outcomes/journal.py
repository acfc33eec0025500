"""The journal of requests, for `midfill why`. No text of a document is written to disk.

The latest requests are kept in memory with their text, so that an editor can show the exact prompt. The file in the
cache folder, which `midfill why` reads while the server runs, has only verdicts: places, numbers and reason codes.
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

from midfill.common.file_system import write_own
from midfill.common.locked_file import Busy, locked
from midfill.common.paths import cache_dir
from midfill.common.regular_file import open_regular
from midfill.completion.confidence import confidence
from midfill.completion.types import Completion, Request

_MAX_ENTRIES = 50
"""Maximum number of requests kept in memory, and number of lines that are left when the file is cut."""
_MAX_BYTES = 400_000
"""Size at which the file is cut."""
_WAIT_SECONDS = 0.2
"""How long a verdict waits for another server that writes one. It is left out if that takes longer."""
_MAX_TIME = 2.0**33
"""In the year 2242."""


@dataclass(frozen=True, kw_only=True)
class PartEntry:
    """Where one part of a prompt comes from."""

    kind: str
    path: str
    first_line: int
    last_line: int
    """First and last line in the file, from 1, both included; 0 for a part that is not from a file."""
    tokens: int


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A request and its result, without text. Fields without a docstring are those of the request or completion."""

    number: int
    """Number of the request, from 1 for each server."""
    at: float
    """Time of the answer, in seconds since 1970."""
    path: str
    line: int
    column: int
    """Line and column of the cursor, from 1."""
    automatic: bool
    reason: str
    """The reason code if there was no suggestion; else ""."""
    characters: int
    lines: int
    """Number of characters and lines of the suggestion."""
    model: str
    prompt_tokens: int
    reused_tokens: int
    tokens: int
    confidence: float | None
    """The model's probability that the whole suggestion is correct; None if there was no suggestion."""
    stopped_by: str
    changes: list[tuple[str, int]]
    parts: list[PartEntry]
    milliseconds: dict[str, float] = field(default_factory=dict)
    budget: str = ""
    edit: str = ""
    """For the next edit: why its place was looked at (:class:`midfill.next_edit.types.Why`); "" for a suggestion."""


@dataclass(frozen=True)
class Entry:
    """The answer to a request, and the verdict on both. The request is not kept: its document may be large."""

    completion: Completion
    verdict: Verdict


class Journal:
    """The requests of one server, the latest last."""

    def __init__(self, file: Path | None = None) -> None:
        """Also write verdicts to ``file``, if it is given. Errors in writing are ignored."""
        self.file = file
        """The file to write to; None for no file. It may be replaced."""
        self._number = 0
        self.entries: deque[Entry] = deque(maxlen=_MAX_ENTRIES)

    def add(self, request: Request, completion: Completion, edit: str = "") -> Entry:
        """Add a request and its answer, and return their entry. ``edit`` is :attr:`Verdict.edit`."""
        self._number += 1
        entry = Entry(completion, verdict_on(request, completion, self._number, edit))
        self.entries.append(entry)
        if self.file is not None:
            with contextlib.suppress(OSError, Busy):
                _append(self.file, json.dumps(to_json(entry.verdict)))
        return entry


def journal_file() -> Path:
    """Return the path of the file with the verdicts of all servers on this machine."""
    return cache_dir() / "journal.jsonl"


def read_verdicts(file: Path, last: int) -> list[Verdict]:
    """Return the last ``last`` verdicts of a file, the latest at the end. Damaged lines are left out."""
    verdicts = []
    for line in reversed(_last_lines(file)):
        if (verdict := _read(line)) is not None:
            verdicts.append(verdict)
        if len(verdicts) == last:
            break
    return verdicts[::-1]


def _read(line: str) -> Verdict | None:
    """Return the verdict in a line; None if it has none."""
    try:
        verdict = cattrs.structure(json.loads(line), Verdict)
    except (ValueError, TypeError, AttributeError, RecursionError, cattrs.BaseValidationError):
        return None
    return verdict if 0 <= verdict.at < _MAX_TIME else None


def _last_lines(file: Path) -> list[str]:
    """Return the lines at the end of a file, as many as there are before it is cut."""
    try:
        with open_regular(file) as opened:
            opened.seek(max(opened.seek(0, os.SEEK_END) - _MAX_BYTES, 0))
            data = opened.read(_MAX_BYTES)
    except (OSError, ValueError):
        return []
    return data.decode(errors="replace").removesuffix("\n").split("\n")


def verdict_on(request: Request, completion: Completion, number: int, edit: str = "") -> Verdict:
    """Return the verdict on a request."""
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
        budget=completion.budget,
        edit=edit,
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
    """Return a verdict as a JSON object."""
    return asdict(verdict)


def _append(file: Path, line: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with locked(file, _WAIT_SECONDS):
        with open(file, "ab", opener=_private) as opened:
            opened.write(f"{line}\n".encode())
            size = opened.tell()
        if size > _MAX_BYTES:
            write_own(file, "".join(f"{kept}\n" for kept in _last_lines(file)[-_MAX_ENTRIES:]))


def _private(path: str, flags: int) -> int:
    """Open a file that only its owner may read, because it tells which files the user works on; wait for nobody."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o600)
