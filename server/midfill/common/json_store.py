"""Small facts about this machine, kept in the cache folder. Midfill works without them."""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any

from midfill.common.file_system import replace_file
from midfill.common.paths import cache_dir


class JsonStore:
    """JSON values by key, in one file. A file that cannot be read counts as empty; a failure to write is ignored."""

    def __init__(self, name: str) -> None:
        """Read ``<name>.json`` in the cache folder."""
        self._file = cache_dir() / f"{name}.json"
        self._values: dict[str, Any] = {}
        with contextlib.suppress(OSError, ValueError, RecursionError):
            values = json.loads(self._file.read_text(encoding="utf-8"))
            if isinstance(values, dict):
                self._values = values

    def get(self, key: str) -> Any:
        """Return the value of ``key``; None when it has none."""
        return self._values.get(key)

    def names(self) -> list[str]:
        """Return all keys."""
        return list(self._values)

    def put(self, key: str, value: Any) -> None:
        """Set the value of ``key``; :meth:`save` writes it."""
        self._values[key] = value

    def save(self) -> None:
        """Write all values; when that fails, the file stays as it was."""
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._file.with_suffix(f".{os.getpid()}")
            temporary.write_text(json.dumps(self._values), encoding="utf-8")
            replace_file(temporary, self._file)
