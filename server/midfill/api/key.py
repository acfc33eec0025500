"""The key that a client must send. It is made at the first start, in a file that only the user may read."""

from __future__ import annotations

import os
import secrets
import stat
import sys
from pathlib import Path

from midfill.common.errors import UsageError
from midfill.common.file_system import write_own
from midfill.common.locked_file import Busy, locked
from midfill.common.os_errors import explain
from midfill.common.paths import cache_dir
from midfill.common.regular_file import read_regular

VARIABLE = "MIDFILL_API_KEY"
_MIN_CHARACTERS = 16
_MAX_BYTES = 4096
_LOCK_SECONDS = 10.0


def key_file() -> Path:
    """Return the path of the key's file."""
    return cache_dir() / "api-key"


def load_key() -> tuple[str, str]:
    """Return the key, and where it is, in words. The first call makes it.

    Raises:
        UsageError: there is a key that is no good, or others may read it, or none can be made.
    """
    if key := os.environ.get(VARIABLE):
        return _checked(key.strip(), f"The key in {VARIABLE}"), f"in {VARIABLE}"
    file = key_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with locked(file, _LOCK_SECONDS):  # of two that start at once, one makes the key for both
            if not os.path.lexists(file):
                write_own(file, f"{secrets.token_urlsafe(32)}\n")
        if sys.platform != "win32" and stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise UsageError(f"Other users may read the key in {file}: delete the file, and a new key is made.")
        key = read_regular(file, _MAX_BYTES).decode("ascii", errors="replace").strip()
    except (OSError, Busy) as error:
        why = explain(error) if isinstance(error, OSError) else "another process has had it for too long"
        raise UsageError(f"The key in {file} cannot be read or made: {why}.") from error
    return _checked(key, f"The key in {file}"), f"in {file}"


def _checked(key: str, what: str) -> str:
    """Return ``key`` if a header can carry it.

    Raises:
        UsageError: it cannot, or it is so short that it may be guessed.
    """
    if len(key) < _MIN_CHARACTERS or not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError(f"{what} is no good: it needs {_MIN_CHARACTERS} or more letters, digits or signs, no spaces.")
    return key
