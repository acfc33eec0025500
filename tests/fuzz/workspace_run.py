"""Opens hostile folders in the real server: it answers, its index comes to rest, and neither takes much memory."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from fuzz.finds import READINGS, Find, Tally
from fuzz.hostile_workspaces import make_workspace
from fuzz.server import FuzzedServer
from midfill.bench.processes import memory_of

_MOST_MEGABYTES = 800
_LEAK = 50_000
"""Bytes a workspace, which is some dozens of requests and files."""
_AGAIN = 20
"""Workspaces that are opened again, between two readings of the memory."""
_GLANCE = 0.1
_AT_REST = 4
"""Glances without processor time after which the index is at rest."""


def run_workspaces(
    server: FuzzedServer, folder: Path, first: int, count: int, on_find: Callable[[Find], None]
) -> Tally:
    """Open the workspaces of ``count`` seeds from ``first`` on, one after the other.

    Then the first ones again and again, for the memory: a server keeps what its largest documents took, in pieces.
    What leaks grows with each visit.
    """
    tally = Tally("workspaces", cases_a_reading=_AGAIN, leak=_LEAK)
    for seed in range(first, first + count):
        before = len(tally.finds)
        _open_and_visit(server, folder, seed, tally)
        for found in tally.finds[before:]:
            on_find(found)
        if len(tally.finds) > before:
            server.restart()
        else:
            tally.answered += 1
        tally.cases += 1
    if count >= _AGAIN:
        for _ in range(READINGS):
            for seed in range(first, first + _AGAIN):
                _open_and_visit(server, folder, seed, tally)
            tally.memory.append(server.own_memory())
    return tally


def _open_and_visit(server: FuzzedServer, folder: Path, seed: int, tally: Tally) -> None:
    workspace = folder / f"workspace-{seed}"
    kind = make_workspace(workspace, seed)
    _visit(server, workspace, seed, kind, tally)
    shutil.rmtree(workspace, ignore_errors=True)


def _visit(server: FuzzedServer, workspace: Path, seed: int, kind: str, tally: Tally) -> None:
    opened = {"uri": workspace.as_uri(), "name": workspace.name}
    server.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [opened], "removed": []}})
    for name in ("main.py", "long.py", "long.js", "nested.py", "noise.py", "classes.py"):
        _ask_about(server, workspace / name, seed, kind, tally)
    if server.has_ended():
        tally.find("crash", seed, kind)
        return
    if (index := server.index()) is not None:
        if not _comes_to_rest(index, server.patience):
            tally.find("index busy", seed, kind)
        elif (megabytes := memory_of(index.pid).own / 1e6) > _MOST_MEGABYTES:
            tally.find("index takes memory", seed, f"{kind}: {megabytes:.0f} MB")
    if (megabytes := server.own_memory() / 1e6) > _MOST_MEGABYTES:
        tally.find("server takes memory", seed, f"{kind}: {megabytes:.0f} MB")
    server.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": [opened]}})
    if not server.probe(server.patience):
        tally.find("deaf", seed, kind)


def _ask_about(server: FuzzedServer, file: Path, seed: int, kind: str, tally: Tally) -> None:
    """Open a file, ask for a suggestion and for actions at its end, and close it."""
    if (tally.finds and tally.finds[-1].seed == seed) or not file.is_file():
        return
    text = file.read_bytes().decode("utf-8", "replace")
    uri, lines = file.as_uri(), text.split("\n")
    document = {
        "uri": uri,
        "languageId": {".py": "python", ".js": "javascript"}[file.suffix],
        "version": 1,
        "text": text,
    }
    server.notify("textDocument/didOpen", {"textDocument": document})
    place = {"line": min(4, len(lines) - 1), "character": 11}
    asked = (
        ("textDocument/inlineCompletion", {"position": place, "context": {"triggerKind": 2}}),
        ("textDocument/codeAction", {"range": {"start": place, "end": place}, "context": {"diagnostics": []}}),
    )
    for method, params in asked:
        number = f"{seed} {file.name} {method}"
        server.ask(number, method, {"textDocument": {"uri": uri}, **params})
        if server.answer(number, server.patience) is None and not server.has_ended():
            tally.find(f"unanswered {method.partition('/')[2]}", seed, f"{file.name}: {kind}")
            return
    server.notify("textDocument/didClose", {"textDocument": {"uri": uri}})


def _comes_to_rest(index: psutil.Process, seconds: float) -> bool:
    """Return whether the index's process uses no processor time for a moment, within some seconds."""
    deadline = time.monotonic() + seconds
    quiet, before = 0, -1.0
    while time.monotonic() < deadline:
        try:
            used = sum(index.cpu_times()[:2])
        except psutil.Error:  # another index has taken its place
            return True
        quiet = quiet + 1 if used == before else 0
        if quiet >= _AT_REST:
            return True
        before = used
        time.sleep(_GLANCE)
    return False
