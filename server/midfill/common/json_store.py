"""Small facts about this machine, kept in the cache folder: cheap to have, and never needed to go on."""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any

from midfill.common.paths import cache_dir


class JsonStore:
    """A file of JSON values by key; one that cannot be read or written is as good as empty."""

    def __init__(self, name: str) -> None:
        """Read what ``<name>.json`` in the cache folder holds."""
        self._file = cache_dir() / f"{name}.json"
        self._values: dict[str, Any] = {}
        with contextlib.suppress(OSError, ValueError):
            values = json.loads(self._file.read_text(encoding="utf-8"))
            if isinstance(values, dict):
                self._values = values

    def get(self, key: str) -> Any:
        """Return the value of ``key``; None when there is none."""
        return self._values.get(key)

    def names(self) -> list[str]:
        """Return all keys."""
        return list(self._values)

    def put(self, key: str, value: Any) -> None:
        """Set the value of ``key``, to be written by :meth:`save`."""
        self._values[key] = value

    def save(self) -> None:
        """Write all values, at once or not at all."""
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            scratch = self._file.with_suffix(f".{os.getpid()}")
            scratch.write_text(json.dumps(self._values), encoding="utf-8")
            scratch.replace(self._file)
