"""Run a download tool as a separate program, and report its progress by the size of its files."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

OnDownloaded = Callable[[int, int, str], None]
"""Called with the number of bytes done, the number of all bytes (0 if that is not known), and what is being done."""

POLL_SECONDS = 0.2
_DISK_FULL = re.compile(
    rf"No space left on device|\[Errno ({errno.ENOSPC}|{errno.EDQUOT})\]|\[WinError (39|112|1295)\]"
)
"""What a tool written in Python says when the disk is full. Windows says the rest in the user's language."""


class Unavailable(Exception):
    """A source cannot deliver the weights now; another source may."""


def run_watched(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], on_growth: Callable[[int], None]
) -> None:
    """Run a tool that downloads one file somewhere below ``folder``.

    Args:
        command: The tool and its arguments, with absolute paths.
        folder: Where the tool runs, and puts both its temporary files and its result.
        environment: The tool's environment variables.
        on_growth: Called several times a second with the number of bytes downloaded so far.

    Raises:
        Unavailable: The tool failed; the message is its last line of output.
        OSError: The tool could not be started, or the disk is full.
    """
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603 (the command is built from pinned data)
            command,
            cwd=folder,  # uv takes settings, also the registry's address, from the folder that it runs in
            env={**environment, "PYTHONIOENCODING": "utf-8"},  # Windows' code page would be used otherwise
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            while not _ended(process):
                on_growth(largest_file(folder))
        finally:
            process.kill()
            process.wait()
        if process.returncode != 0:
            output.seek(0)
            lines = output.read().decode(errors="replace").strip().splitlines()
            if any(_DISK_FULL.search(line) for line in lines):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            raise Unavailable(lines[-1].removeprefix("ERROR: ") if lines else f"exit code {process.returncode}")


def _ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def largest_file(folder: Path) -> int:
    """Return the size of the largest file, not the sum: a tool may hold its download twice while it moves it."""
    largest = 0
    # os.walk skips folders that vanish meanwhile, as pip's temporary ones do; Path.rglob raises.
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                largest = max(largest, os.stat(os.path.join(parent, name)).st_size)
            except FileNotFoundError:  # the tool moved it meanwhile
                continue
    return largest
