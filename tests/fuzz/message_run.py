"""Sends mutated messages to the real server, and looks whether each request is answered and the server lives."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from fuzz.finds import READINGS, Find, Tally
from fuzz.messages import CODE, URI, Case, case_of
from fuzz.server import FuzzedServer

SLOW_SECONDS = 1.0
"""After which a request is cancelled; it must then be answered within the server's patience."""


def run_messages(
    server: FuzzedServer,
    first: int,
    count: int,
    on_find: Callable[[Find], None] = lambda _: None,
    most_finds: float = math.inf,
) -> Tally:
    """Send the messages of ``count`` seeds from ``first`` on, until there are ``most_finds``: each costs patience."""
    tally = Tally("messages", cases_a_reading=max(count // READINGS, 1))
    for seed in range(first, first + count):
        if len(tally.finds) >= most_finds:
            break
        before = len(tally.finds)
        _send(server, case_of(seed), seed, tally)
        for found in tally.finds[before:]:
            on_find(found)
        if len(tally.finds) > before:
            server.restart()
        tally.cases += 1
        if tally.cases % tally.cases_a_reading == 0:
            tally.memory.append(server.own_memory())
    return tally


def _send(server: FuzzedServer, case: Case, seed: int, tally: Tally) -> None:
    opened = {"uri": URI, "languageId": "python", "version": 1, "text": CODE}
    server.notify("textDocument/didOpen", {"textDocument": opened})
    server.send(case.data)
    if case.number is not None and not _is_answered(server, case.number, case, seed, tally):
        return
    for uri in {URI, *case.opened}:
        server.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    alive = server.recovers() if case.kind == "header" else server.probe(server.patience)
    if server.has_ended():
        tally.find(f"crash by a {case.kind}", seed, f"exit code {server.process.poll()}")
    elif not alive:
        tally.find(f"deaf after a {case.kind}", seed, repr(case.data[:100]))
    else:
        tally.answered += 1
    server.forget_answers()


def _is_answered(server: FuzzedServer, number: int, case: Case, seed: int, tally: Tally) -> bool:
    """Wait for the answer; cancel the request if that takes too long."""
    if server.answer(number, min(SLOW_SECONDS, server.patience)) is not None:
        return True
    if server.has_ended():
        tally.find(f"crash by a {case.kind}", seed, f"exit code {server.process.poll()}")
        return False
    server.notify("$/cancelRequest", {"id": number})
    asked = time.monotonic()
    if server.answer(number, server.patience) is None:
        lives = "others are answered" if server.probe(server.patience) else "nor is any other"
        tally.find(f"unanswered {case.kind}", seed, f"{lives}: {case.data[:300]!r}")
        return False
    if time.monotonic() - asked > SLOW_SECONDS:
        tally.find(f"slow to cancel a {case.kind}", seed, repr(case.data[:100]))
        return False
    return True
