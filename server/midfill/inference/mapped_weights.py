"""The file of a model's weights while it is mapped into memory: whether it is still the one that was loaded.

onnxruntime maps the file, and reads some of it at each run. If another program cuts the file meanwhile, the system ends
this process at the next such page (SIGBUS), and nothing can be done about that any more. If it writes to the file, the
model says something else. Windows refuses to cut a file that is mapped. A file that is replaced or deleted stays as it
was for who has it open.
"""

from __future__ import annotations

import os
import weakref
from pathlib import Path

from midfill.common.errors import ModelChanged


class MappedWeights:
    """Holds one file open, and compares it with what it was."""

    def __init__(self, file: Path) -> None:
        """Open the file, if there is one: a small graph has no file of weights."""
        self._file = file
        self._descriptor: int | None = None
        self._stamp: tuple[int, int] | None = None
        try:
            self._descriptor = os.open(file, os.O_RDONLY)
        except OSError:
            return
        weakref.finalize(self, os.close, self._descriptor)
        self._stamp = self._current()

    def require_unchanged(self) -> None:
        """Check the file, in a microsecond.

        Raises:
            ModelChanged: its size or its time of change is another one.
        """
        if self._current() != self._stamp:
            raise ModelChanged(
                f"{self._file} was changed while it was in use: ask again, and the bundle is loaded again."
            )

    def _current(self) -> tuple[int, int] | None:
        if self._descriptor is None:
            return None
        status = os.fstat(self._descriptor)
        return status.st_size, status.st_mtime_ns
