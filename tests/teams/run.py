"""Runs the commands of docs/teams.md, section by section, as `nox -s teams` does.

usage: python -m teams.run [WORD ...]

Each WORD chooses the sections whose titles have it; without one, all run. The environment says what the page leaves to
its reader: `MODEL`, `GGUF`, `ENGINE_HOST`, and a `PATH` with the programs.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from teams.page import PAGE, RUN, SERVER, VALUES, Section, sections

_SECONDS = 1200
_END_SECONDS = 30


def main(words: list[str]) -> int:
    """Run the chosen sections; return 1 if one of them fails."""
    found = sections(PAGE.read_text(encoding="utf-8"))
    values = "".join(text for section in found for text in section.titled(VALUES))
    runnable = [section for section in found if section.titled(SERVER)]
    chosen = [each for each in runnable if not words or any(word in each.title for word in words)]
    failed = [section.title for section in chosen if not _runs(section, values)]
    sys.stdout.write(f"{len(chosen) - len(failed)} of {len(chosen)} sections ran.\n")
    return 1 if failed or not chosen else 0


def _runs(section: Section, values: str) -> bool:
    """Start the servers of a section, run its commands, and end the servers."""
    sys.stdout.write(f"== {section.title}\n")
    sys.stdout.flush()
    environment = {"ENGINE_KEY": "a key for this run", "ENGINE_HOST": "localhost", "REPLICAS": "1", **os.environ}
    with tempfile.TemporaryDirectory(prefix="midfill-teams-") as folder, ExitStack() as stack:
        for name, text in section.files.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        for text in section.titled(SERVER):
            command = ["bash", "-euc", values + text]
            server = subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True)
            stack.callback(_end, server)
        for text in section.titled(RUN):
            command = ["bash", "-euc", values + text]
            code = subprocess.run(command, cwd=folder, env=environment, timeout=_SECONDS, check=False).returncode
            if code:
                sys.stdout.write(f"\nexit code {code}:\n{text}")
                return False
    return True


def _end(server: subprocess.Popen[bytes]) -> None:
    """End a server and all that it has started."""
    for end in (signal.SIGTERM, signal.SIGKILL):
        if server.poll() is None:
            os.killpg(server.pid, end)
            try:
                server.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                continue


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
