"""Runs Python code that a model wrote. Each candidate gets its own process with as few rights as possible.

A candidate has an empty temporary folder, an empty environment, and limits of time, memory and file size. It cannot
start processes, use the network (see ``sandboxed``), or pass by exiting early. The sandbox protects against a model's
mistakes, not against an attacker who knows it: a candidate can read the files that the user can read, and on Windows
only the time is limited.
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
    """The result of running a program."""

    passed: bool
    reason: str
    """Why it did not pass; "" if it passed."""


def run_python(source: str, *, seconds: float, megabytes: int, max_reason_bytes: int = MAX_REASON_BYTES) -> RunResult:
    """Run a program. It passes if it reaches its end: no exception ends it, not even ``SystemExit``.

    Args:
        source: the program, with its checks at the end.
        seconds: time after which it is killed.
        megabytes: maximum address space.
        max_reason_bytes: maximum length of the reason; the rest is cut off.
    """
    token = secrets.token_hex(16)
    command = [sys.executable, "-I", "-S", "-B", str(PROGRAM), str(math.ceil(seconds)), str(megabytes)]
    # The output is a file, not a pipe: a process that outlives the candidate would keep a pipe open, and us waiting.
    with tempfile.TemporaryDirectory(prefix="midfill-eval-") as folder, tempfile.TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603 (the command is ours)
            command,
            cwd=folder,
            env=needed_environment(),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            process.communicate(f"{token}\n{source}".encode(errors="replace"), timeout=seconds)
        except subprocess.TimeoutExpired:
            return RunResult(passed=False, reason=f"still running after {seconds:g} s")
        finally:
            kill_group(process)
        output.seek(0)
        text = output.read(max_reason_bytes).decode(errors="replace")
    if text == token:
        return RunResult(passed=True, reason="")
    return RunResult(passed=False, reason=text or f"ended before its checks did, with exit code {process.returncode}")


def needed_environment() -> dict[str, str]:
    """Return the variables without which no program starts: Windows' programs find its libraries by one."""
    return {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all processes it started, whether it has ended or not."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
