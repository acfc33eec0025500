"""Runs a command of `midfill`, within this process or as a program."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Ran:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


def is_one_line(ran: Ran, code: int) -> bool:
    """Return whether a command failed as it should: exit code, one line on stderr, nothing on stdout."""
    return (
        ran.code == code
        and ran.out == ""
        and ran.err.startswith("midfill: ")
        and ran.err.endswith("\n")
        and ran.err.count("\n") == 1
    )


def midfill(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command as a program."""
    return subprocess.run(
        [sys.executable, "-m", "midfill", *map(str, arguments)],
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
    )
