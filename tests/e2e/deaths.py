"""A session in which the index, the server and the client die at random; what is kept must survive it."""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from e2e.long_session import Typist
from e2e.raw_client import MIDFILL, RawClient
from midfill.inference.bundle import load_bundle
from midfill.outcomes.journal import read_verdicts
from unit.helpers import chain_graph, write_bundle
from waiting import wait_until

DEATHS = ("index", "server", "client", "nobody")
"""Who dies at the end of a life; "nobody" is an orderly end."""
_LIVES = (5, 40)
"""Fewest and most requests between two deaths."""
_WARM_AFTER = 5
"""Requests of a life after which its memory is looked at."""


@dataclass
class Ledger:
    """What happened, for comparison with what was kept."""

    answered: int = 0
    deaths: Counter[str] = field(default_factory=Counter)
    megabytes: list[float] = field(default_factory=list)
    """Memory of each server's own after its first few requests, without its index, which may still be starting."""
    open_files: list[int] = field(default_factory=list)


class MortalSession:
    """Types into a small workspace, with one server after the other, whose model is a tiny one."""

    def __init__(self, folder: Path, seed: int) -> None:
        """Use a bundle, a cache folder, settings and a workspace in ``folder``."""
        graph = chain_graph("left", anywhere=True)
        self._bundle = bundle = write_bundle(folder / "bundle", graph, context_length=4096).path
        self._folder = folder
        self._chance = random.Random(seed)  # noqa: S311 -- repeatable
        self._workspace = folder / "workspace"
        self._workspace.mkdir()
        (self._workspace / "one.py").write_text("def one(a):\n    return a\n\n\n" * 40)
        (self._workspace / "two.py").write_text("from one import one\n\n\ndef two(b):\n    return one(b)\n\n\n" * 40)
        self.cache = folder / "cache"
        self.config = folder / "midfill.toml"
        self.config.write_text('minConfidence = 0.0\nmaxTokens = 8\nexclude = ["*.secret"]\n')
        self._environment = {
            **os.environ,
            "MIDFILL_BUNDLE": str(bundle),
            "MIDFILL_CACHE": str(self.cache),
            "MIDFILL_CONFIG": str(self.config),
        }
        self._number = 0
        self.ledger = Ledger()

    def run(self, requests: int) -> None:
        """Make requests until so many were answered; after each death what was kept is checked."""
        before = kept(self._bundle, self.config)
        while self.ledger.answered < requests:
            death = self._chance.choice(DEATHS)
            self._live(death)
            self.ledger.deaths[death] += 1
            assert kept(self._bundle, self.config) == before, "the bundle or the settings have changed"
            check_json(self.cache)

    def _live(self, death: str) -> None:
        """Run one server until the death that is meant for it."""
        with RawClient(MIDFILL, self._folder / "stderr", self._environment) as client:
            client.initialize(options={"shareEngine": False}, folder=self._workspace)
            client.wait_until_loaded()
            index = wait_until(lambda: children(client), "the index")[0]
            typists = [Typist(client, path) for path in sorted(self._workspace.glob("*.py"))]
            answered = self._type(client, typists)
            if death == "index":
                index.kill()
                answered += self._type(client, typists)
            verdicts = read_verdicts(self.cache / "journal.jsonl", 1)
            assert verdicts[0].number >= answered, "an answer is not in the journal"
            typists[0].type(1)
            typists[0].ask(self._next(), invoked=True)  # this one is in flight
            known = children(client)
            end(client, death)
            assert "ERROR" not in client.stderr(), f"{death}: {client.stderr()}"
        self.ledger.answered += answered
        wait_until(lambda: not any(process.is_running() for process in known), "the index to go with its server")

    def _type(self, client: RawClient, typists: list[Typist]) -> int:
        """Make some requests, and wait for each answer; return their number."""
        count = self._chance.randint(*_LIVES)
        for made in range(count):
            typist = self._chance.choice(typists)
            typist.type(self._chance.randint(1, 5))
            number = self._next()
            typist.ask(number, invoked=self._chance.randrange(8) == 0)
            assert "result" in client.answer_to(number)
            if made == _WARM_AFTER - 1:
                process = psutil.Process(client.process.pid)
                self.ledger.megabytes.append(process.memory_full_info().uss / 1e6)
                self.ledger.open_files.append(process.num_handles() if psutil.WINDOWS else process.num_fds())
        return count

    def _next(self) -> int:
        self._number += 1
        return self._number


def end(client: RawClient, death: str) -> None:
    """Let the server die as it is meant to."""
    if death == "server":
        client.process.kill()
    elif death == "client":
        client.close_stdin()
    else:
        client.request(-1, "shutdown", None)
        client.notify("exit", None)
    client.wait()


def children(client: RawClient) -> list[psutil.Process]:
    """Return the processes that a server has started."""
    found: list[psutil.Process] = psutil.Process(client.process.pid).children()
    return found


def kept(bundle: Path, config: Path) -> list[str]:
    """Return hashes of what no death may change: the bundle, which must still be sound, and the user's settings."""
    files = [*load_bundle(bundle).folder.iterdir(), config]
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files) if file.is_file()]


def check_json(cache: Path) -> None:
    """Check that each file in a cache folder can be read, and that none was left half written.

    Of a journal, one line may be cut: the one that was in flight.
    """
    for file in cache.glob("*.json"):
        json.loads(file.read_text(encoding="utf-8"))
    lines = (cache / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    assert sum(not is_json(line) for line in lines) <= 1


def is_json(line: str) -> bool:
    """Return whether a line is JSON."""
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def counted(cache: Path) -> int:
    """Return the number of requests in the statistics."""
    found = json.loads((cache / "statistics.json").read_text(encoding="utf-8"))
    return int(found.get("requests", 0))
