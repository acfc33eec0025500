"""A session as typing makes it, over real pipes: requests while typing, half of them cancelled."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from e2e.raw_client import RawClient, ghost_text_at
from midfill.bench.processes import Memory, memory_of
from waiting import wait_until

_REQUESTS_A_VISIT = 10
_INVOKED = 8
"""One request in this many is made by a key, for alternatives."""
_REOPENED = 5
"""At one visit in this many the document is closed and opened again."""
_REQUEST_CANCELLED = -32800
_MOMENT = 0.3
"""Seconds without work after which a server rests."""


@dataclass(frozen=True)
class Resources:
    """What a server holds."""

    memory: Memory
    """Of which its own is judged: the pages of the model's tables come in as they are read."""
    open_files: int
    threads: int

    @classmethod
    def of(cls, client: RawClient) -> Resources:
        """Look at the server of a client, when it rests: a cancelled request may still hold what it computed with."""
        process = psutil.Process(client.process.pid)
        wait_until(lambda: _rests(process), "the server to rest")
        files = process.num_handles() if psutil.WINDOWS else process.num_fds()
        return cls(memory_of(process.pid), files, process.num_threads())


def _rests(process: psutil.Process) -> bool:
    """Whether a process does nothing for a moment."""
    before = process.cpu_times()
    time.sleep(_MOMENT)
    after = process.cpu_times()
    return bool(after.user + after.system - before.user - before.system < _MOMENT / 10)


class Session:
    """Types into several files in turn, and checks that each request is answered as it should be."""

    def __init__(self, client: RawClient, files: list[Path], seed: int) -> None:
        self._client = client
        self._chance = random.Random(seed)  # noqa: S311 - a repeatable session, not a secret
        self._typists = [Typist(client, path) for path in files]
        self.suggestions = 0
        """Items that were offered."""

    def run(self, numbers: range) -> None:
        """Make requests of these numbers, half of them cancelled at some moment, and wait for each answer."""
        cancelled = set(self._chance.sample(numbers, len(numbers) // 2))
        for number in numbers:
            visit, turn = divmod(number, _REQUESTS_A_VISIT)
            typist = self._typists[visit % len(self._typists)]
            if turn == 0 and self._chance.randrange(_REOPENED) == 0:
                typist.reopen()
            typist.type(self._chance.randint(1, 5))
            typist.ask(number, invoked=self._chance.randrange(_INVOKED) == 0)
            if number in cancelled:
                time.sleep(self._chance.uniform(0, 0.2))
                self._client.cancel(number)
            answer = self._client.answer_to(number)
            if number in cancelled and "error" in answer:
                assert answer["error"]["code"] == _REQUEST_CANCELLED
            else:
                self.suggestions += len(answer["result"]["items"])


class Typist:
    """Types the second half of a real file after its first, a few characters at a time; at its end, anew."""

    def __init__(self, client: RawClient, path: Path) -> None:
        self._client = client
        self._uri = path.as_uri()
        self._text = path.read_text(encoding="utf-8")
        self._version = 0
        self._at = 0
        self._open(len(self._text) // 2)

    def reopen(self) -> None:
        """Close the document and open it as it was."""
        self._client.notify("textDocument/didClose", {"textDocument": {"uri": self._uri}})
        self._open(self._at)

    def type(self, count: int) -> None:
        """Type the next characters."""
        if self._at + count > len(self._text):
            self._at = len(self._text) // 2
            self.reopen()
        cursor = {"line": self._line, "character": self._character}
        change = {"range": {"start": cursor, "end": cursor}, "text": self._text[self._at : self._at + count]}
        self._at += count
        self._version += 1
        document = {"uri": self._uri, "version": self._version}
        self._client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})

    def ask(self, number: int, *, invoked: bool) -> None:
        """Ask for ghost text at the cursor, without waiting."""
        params = ghost_text_at(self._line, self._character, self._uri)
        params["context"]["triggerKind"] = 1 if invoked else 2
        self._client.send(id=number, method="textDocument/inlineCompletion", params=params)

    def _open(self, at: int) -> None:
        self._at = at
        self._client.open(self._text[:at], self._uri)

    @property
    def _line(self) -> int:
        return self._text.count("\n", 0, self._at)

    @property
    def _character(self) -> int:
        """The column in utf-16 as in characters: these files have nothing beyond the BMP."""
        return self._at - self._text.rfind("\n", 0, self._at) - 1
