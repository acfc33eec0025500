"""Has the real commands use hostile bundles and GGUF files: each ends soon, in one line, in bounded memory."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fuzz.finds import Find, Tally

_MOST_CHARACTERS = 1_000
"""Of one error line."""
_MOST_MEGABYTES = 1_500
_STARTUP_SECONDS = 60.0


def run_bundles(
    sound: Path, folder: Path, first: int, count: int, patience: float, on_find: Callable[[Find], None]
) -> Tally:
    """Use the bundles of ``count`` seeds from ``first`` on."""
    tally = Tally("bundles")
    worker = _Worker(sound, folder)
    for seed in range(first, first + count):
        before = len(tally.finds)
        kind, done = worker.do(seed, patience)
        _judge(kind, done, seed, tally)
        if done is None or done["peak"] > _MOST_MEGABYTES:
            worker.kill()
            worker = _Worker(sound, folder)
        for found in tally.finds[before:]:
            on_find(found)
        tally.cases += 1
        tally.answered += len(tally.finds) == before
    worker.kill()
    return tally


def _judge(kind: str, done: dict[str, Any] | None, seed: int, tally: Tally) -> None:
    if done is None:
        tally.find("hang or crash", seed, kind)
        return
    said = done["said"]
    line = said[:-1] if said.endswith("\n") else said
    if "unexpected" in said:
        tally.find("unexpected error", seed, f"{kind}: {line[:200]!r}")
    elif done["code"] and (not line.isprintable() or len(line) > _MOST_CHARACTERS or not line.startswith("midfill: ")):
        tally.find("error that is not one plain line", seed, f"{kind}: {line[:200]!r}")
    elif done["peak"] > _MOST_MEGABYTES:
        tally.find("memory", seed, f"{kind}: {done['peak']} MB")


class _Worker:
    """The process that uses them; another one takes its place when it hangs."""

    def __init__(self, sound: Path, folder: Path) -> None:
        self._folder = folder / f"work-{os.urandom(4).hex()}"
        self._folder.mkdir()
        self._lines: queue.Queue[str] = queue.Queue()
        cache = {"MIDFILL_CACHE": str(self._folder / "cache"), "MIDFILL_CONFIG": str(self._folder / "none.toml")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "fuzz.bundle_worker", str(sound), str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **cache},
        )
        threading.Thread(target=self._read, daemon=True).start()
        self._patience = _STARTUP_SECONDS  # the first case waits for the imports

    def do(self, seed: int, patience: float) -> tuple[str, dict[str, Any] | None]:
        """Return what was made for a case, and what came of it; None if nothing did."""
        kind = "nothing was made"
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{seed}\n")
            self._process.stdin.flush()
            kind = str(json.loads(self._lines.get(timeout=max(self._patience, patience))))
            self._patience = patience
            return kind, json.loads(self._lines.get(timeout=patience))
        except (OSError, queue.Empty):
            return kind, None

    def kill(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("null")
