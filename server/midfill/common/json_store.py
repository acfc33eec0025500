"""Small facts about this machine, kept in the cache folder. Midfill works without them.

Several servers use the same files. So a change is made to what is in the file at that moment, while no other process
changes it. What is in a file may be anything: who takes a value from it checks the value.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from midfill.common.file_system import write_own
from midfill.common.locked_file import Busy, locked
from midfill.common.paths import cache_dir
from midfill.common.regular_file import read_regular

_MAX_BYTES = 1_000_000
"""Maximum size of a file. A larger one was not written here, and counts as empty."""
_WAIT_SECONDS = 0.5
"""How long a change waits for another process. One that runs makes its change in milliseconds."""


class JsonStore:
    """JSON values by key, in one file. A file that cannot be read counts as empty."""

    def __init__(self, name: str) -> None:
        """Read ``<name>.json`` in the cache folder."""
        self._file = cache_dir() / f"{name}.json"
        self._values = _read(self._file)

    def get(self, key: str) -> Any:
        """Return the value of ``key``; None when it has none."""
        return self._values.get(key)

    def names(self) -> list[str]:
        """Return all keys."""
        return list(self._values)

    def put(self, key: str, value: Any) -> None:
        """Write a value; a failure is ignored."""
        self.update(lambda values: values.update({key: value}))

    def update(self, change: Callable[[dict[str, Any]], None]) -> bool:
        """Let ``change`` change the values that the file has now, and write them; return whether that was possible."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with locked(self._file, _WAIT_SECONDS):
                values = _read(self._file)
                change(values)
                write_own(self._file, json.dumps(values))
        except (Busy, OSError):
            return False
        self._values = values
        return True


def _read(file: Path) -> dict[str, Any]:
    """Return what is in a file; nothing if that is no JSON object."""
    with suppress(OSError, ValueError, RecursionError):
        values = json.loads(read_regular(file, _MAX_BYTES))
        if isinstance(values, dict):
            return values
    return {}
