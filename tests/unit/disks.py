"""File systems of other machines, made of real files on this one."""

from __future__ import annotations

import ntpath
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePath, PureWindowsPath
from types import ModuleType

import pytest

from midfill.common.file_identity import Resolver
from midfill.common.file_uri import file_in
from midfill.common.folder_names import Disk, loosely


class LooseDisk(Disk):
    """A file system that finds names in any case or form, as that of macOS; spellings stay as they are given."""

    def __init__(self, same: Callable[[str], str] = loosely) -> None:
        """Take two names for one if ``same`` makes them equal."""
        self._same = same
        self.listed: list[str] = []
        """The folders that were listed."""

    def real_path(self, path: str) -> str:
        here = Path("/")
        for name in PurePath(path).parts[1:]:
            found = self._found(here / name)
            here = Path(self.real_path(str(found.parent / os.readlink(found)))) if found.is_symlink() else here / name
        return str(here)

    def is_link(self, path: str) -> bool:
        return super().is_link(str(self._found(Path(path))))

    def file_number(self, path: str) -> tuple[int, int] | None:
        return super().file_number(str(self._found(Path(path))))

    def stamp(self, folder: str) -> int | None:
        return super().stamp(str(self._found(Path(folder))))

    def names(self, folder: str) -> frozenset[str]:
        self.listed.append(folder)
        return super().names(str(self._found(Path(folder))))

    def _found(self, path: Path) -> Path:
        """Return a path as it is spelled on this machine's disk."""
        if path == path.parent or os.path.lexists(path):
            return path
        folder = self._found(path.parent)
        names = super().names(str(folder))
        return folder / next((name for name in names if self._same(name) == self._same(path.name)), path.name)


class WindowsDisk(LooseDisk):
    """A machine with drives and shares: the folder `c` is the drive `C:`, and `server/share` a share."""

    def __init__(self, folder: Path) -> None:
        super().__init__(str.casefold)
        self._folder = folder

    def real_path(self, path: str) -> str:
        """Return the path with Windows' prefix, which its own function has for some."""
        path = ntpath.normpath(path)
        return f"\\\\?\\UNC\\{path[2:]}" if path.startswith("\\\\") else f"\\\\?\\{path}"

    def _found(self, path: Path) -> Path:
        pure = PureWindowsPath(str(path))
        drive = pure.drive.strip("\\").rstrip(":").replace("\\", "/").casefold()
        return super()._found(self._folder.joinpath(drive, *pure.parts[1:])) if pure.drive else super()._found(path)


def see_windows(monkeypatch: pytest.MonkeyPatch, module: ModuleType, folder: Path) -> None:
    """Let a module read URIs and resolve paths as on a Windows machine whose drives and shares are in a folder."""
    windows = Resolver(WindowsDisk(folder), PureWindowsPath)
    monkeypatch.setattr(module, "file_in", partial(file_in, flavour=PureWindowsPath))
    monkeypatch.setattr(module, "resolve", windows.resolve)
