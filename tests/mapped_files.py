"""Files as Windows treats those that a process has mapped into memory: nobody can delete, rename or replace them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pytest


class MappedFiles:
    """Refuses to delete or to move files, and the folders that they are in, until they are released."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._held: set[int] = set()
        """Inodes, by which a file is known however its path is written."""
        for name in ("unlink", "remove", "rename", "replace", "rmdir"):
            monkeypatch.setattr(os, name, partial(self._guarded, getattr(os, name)))

    def hold(self, *files: Path) -> None:
        """Map files."""
        for file in files:
            self._held |= {file.stat().st_ino, file.parent.stat().st_ino}

    def release(self) -> None:
        """Unmap all files."""
        self._held.clear()

    def _guarded(self, work: Callable[..., None], *paths: Any, dir_fd: int | None = None, **options: Any) -> None:
        if self._held & set(_inodes(paths, dir_fd)):
            raise PermissionError(13, "Access is denied", os.fsdecode(paths[0]))
        work(*paths, **options, **({} if dir_fd is None else {"dir_fd": dir_fd}))


def _inodes(paths: Iterable[Any], dir_fd: int | None) -> Iterable[int]:
    for path in paths:
        try:
            yield os.stat(path, dir_fd=dir_fd).st_ino
        except FileNotFoundError:
            continue
