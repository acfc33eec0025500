"""A process that ends in bounded time."""

from __future__ import annotations

import subprocess
import sys

import pytest


def code_of(program: str) -> int:
    """Run a program that has the function; return its exit code."""
    start = "import sys, threading; from midfill.common.exit_deadline import exit_within; "
    return subprocess.run([sys.executable, "-c", start + program], check=False).returncode


@pytest.mark.timeout(60)
def test_thread_that_never_ends_is_not_waited_for() -> None:
    """The exit code is asked for at the end."""
    stuck = "threading.Thread(target=threading.Event().wait).start()"
    assert code_of(f"codes = []; exit_within(0.1, lambda: codes[0]); codes.append(3); {stuck}") == 3


@pytest.mark.timeout(60)
def test_process_that_ends_in_time() -> None:
    """It is not held up, and keeps its own exit code."""
    assert code_of("exit_within(3600, lambda: 3); sys.exit(4)") == 4
