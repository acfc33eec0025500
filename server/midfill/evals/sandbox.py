"""Run code that a model wrote, each candidate in a process of its own that can do as little as possible.

The candidate has an empty temporary folder, an empty environment, limits of time, memory and file size, no other
processes, no network (see ``sandboxed``), and no way to fake a pass by exiting early. It is meant to hold what a
completion model gets wrong, not an attacker who has read it: on Windows there are no limits but that of time, and
files that the user may read can be read.
"""

from __future__ import annotations

import contextlib
import math
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

PROGRAM = Path(__file__).with_name("sandboxed.py")
MAX_REASON_BYTES = 300


@dataclass(frozen=True)
class RunResult:
    """How a candidate ended."""

    passed: bool
    reason: str
    """Why it did not pass; "" when it did."""


def run_python(source: str, *, seconds: float, megabytes: int, max_reason_bytes: int = MAX_REASON_BYTES) -> RunResult:
    """Run a program to its end; it passes unless an exception ends it, ``SystemExit`` included.

    Args:
        source: The program, the checks at its end included.
        seconds: Time after which it is killed.
        megabytes: Address space it may have.
        max_reason_bytes: Bytes of the reason that are kept.
    """
    token = secrets.token_hex(16)
    command = [sys.executable, "-I", "-S", "-B", str(PROGRAM), str(math.ceil(seconds)), str(megabytes)]
    # The verdict is a file, not a pipe: nothing that outlives the candidate can keep us waiting for its end.
    with tempfile.TemporaryDirectory(prefix="midfill-eval-") as folder, tempfile.TemporaryFile() as verdict:
        process = subprocess.Popen(  # noqa: S603 (the command is ours)
            command,
            cwd=folder,
            env={},
            stdin=subprocess.PIPE,
            stdout=verdict,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            process.communicate(f"{token}\n{source}".encode(errors="replace"), timeout=seconds)
        except subprocess.TimeoutExpired:
            return RunResult(passed=False, reason=f"still running after {seconds:g} s")
        finally:
            kill_group(process)
        verdict.seek(0)
        said = verdict.read(max_reason_bytes).decode(errors="replace")
    if said == token:
        return RunResult(passed=True, reason="")
    return RunResult(passed=False, reason=said or f"ended before its checks did, with exit code {process.returncode}")


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and whatever it may have started, ended or not."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
