"""A program between an editor and the server that passes all on and notes what passes, and when.

``python recorder.py LOG ARGUMENT...`` runs ``midfill ARGUMENT...`` and writes a line of JSON a message to LOG.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TextIO

_INLINE = "textDocument/inlineCompletion"


@dataclass(frozen=True)
class Request:
    """One request for ghost text."""

    asked: float
    """When it reached the server, by this machine's clock."""
    seconds: float
    """From then until its answer left; infinite while there is none."""
    cancelled: bool

    @property
    def is_over(self) -> bool:
        """Whether it is answered."""
        return math.isfinite(self.seconds)


def recorded_server(folder: Path) -> tuple[Path, Path]:
    """Write a program that can stand for the server into `folder`; return it, and the log it will write."""
    log, program = folder / "messages.jsonl", folder / "midfill-recorded"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "{log}" "$@"\n')
    program.chmod(0o755)
    log.touch()
    return program, log


def requests(log: Path) -> list[Request]:
    """Return the requests for ghost text in the order they came; ids start anew with each server."""
    asked: list[float] = []
    answered: dict[int, float] = {}
    cancelled: set[int] = set()
    by_id: dict[object, int] = {}
    for line in log.read_text().rpartition("\n")[0].splitlines():  # the last one may not be whole yet
        message = json.loads(line)
        if message["method"] == _INLINE:
            by_id[message["id"]] = len(asked)
            asked.append(message["time"])
        elif message["method"] == "$/cancelRequest" and message["id"] in by_id:
            cancelled.add(by_id[message["id"]])
        elif message["method"] is None and not message["to_server"] and message["id"] in by_id:
            answered[by_id.pop(message["id"])] = message["time"]
    return [
        Request(start, answered.get(index, math.inf) - start, index in cancelled) for index, start in enumerate(asked)
    ]


def main(log: Path, arguments: list[str]) -> int:
    """Run the server; return its exit code."""
    server = subprocess.Popen(
        [sys.executable, "-m", "midfill", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert server.stdin is not None
    assert server.stdout is not None
    with log.open("a", buffering=1) as notes:
        threading.Thread(target=_pass_on, args=(sys.stdin.buffer, server.stdin, notes, True), daemon=True).start()
        _pass_on(server.stdout, sys.stdout.buffer, notes, False)
    return server.wait()


def _pass_on(source: IO[bytes], target: IO[bytes], notes: TextIO, to_server: bool) -> None:
    while header := source.readline():
        length = 0
        while header.strip():
            name, _, value = header.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
            header = source.readline()
        body = source.read(length)
        message = json.loads(body)
        method = message.get("method")
        identity = message.get("params", {}).get("id") if method == "$/cancelRequest" else message.get("id")
        # Before it is passed on, or the answer may be noted before the question.
        notes.write(json.dumps({"time": time.time(), "to_server": to_server, "method": method, "id": identity}) + "\n")
        target.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        target.flush()
    target.close()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
