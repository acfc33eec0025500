"""The identity of a file: one path for it, however it is spelled.

A file has many spellings: through links, with ``..``, in another case or another form of Unicode where the file system
ignores that, with a drive letter of either case, with Windows' prefix for long paths. Its identity is the absolute path
without links, with names as their folders list them. What comes from outside (a URI of the editor, a setting, an
argument) is resolved here once, and everything inside compares identities. What is found in a folder with an identity
has one already.

A file that no longer exists keeps the identity that it had. Two hard links are two files.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

from midfill.common.file_uri import MAX_PATH_CHARACTERS, OWN, Flavour
from midfill.common.folder_names import Disk, FolderNames, Respelling, other_case


class Resolver:
    """Resolves paths. Any thread may use it."""

    def __init__(self, disk: Disk | None = None, flavour: Flavour = OWN) -> None:
        """Use the rules of a system, by default this one's."""
        self._disk = disk or Disk()
        self._flavour = flavour
        self._names = FolderNames(self._disk, "\\" if flavour is PureWindowsPath else "/")

    def resolve(self, path: str | PurePath) -> str:
        """Return the identity of a file, which need not exist. An unusable path stays as it is."""
        return self._resolved(path)[0]

    def entry(self, path: str | PurePath) -> str:
        """Return the identity of a name in a folder: a link is not followed, but the folder is resolved."""
        plain = self._plain(path)
        if plain.name in ("", ".."):
            return self.resolve(plain)
        folder, ignored = self._resolved(plain.parent)
        return self._names.join(folder, self._names.spelled(folder, plain.name, ignored))

    def entries_and_files(self, paths: Iterable[str | PurePath]) -> list[str]:
        """Return what a change of some names is about: each name as it was given and as it is listed, and its file.

        These differ for a link, and for a name that was renamed to another case. A folder is resolved once.
        """
        folders: dict[PurePath, tuple[str, set[Respelling]]] = {}
        found: dict[str, None] = {}
        for path in paths:
            plain = self._plain(path)
            if plain.name in ("", ".."):
                found[self.resolve(plain)] = None
                continue
            if plain.parent not in folders:
                folders[plain.parent] = self._resolved(plain.parent)
            folder, ignored = folders[plain.parent]
            entry = self._names.join(folder, self._names.spelled(folder, plain.name, ignored))
            file = self.resolve(entry) if self._disk.is_link(entry) else entry
            found |= dict.fromkeys((self._names.join(folder, plain.name), entry, file))
        return list(found)

    def ignores_case(self, folder: str | PurePath) -> bool:
        """Return whether a folder ignores the case of the names in it."""
        path, ignored = self._resolved(folder)
        return self._names.ignores(other_case, path, None, ignored)

    def _resolved(self, path: str | PurePath) -> tuple[str, set[Respelling]]:
        """Return the identity of a file or folder, and what the folders above it ignore."""
        if len(str(path)) > MAX_PATH_CHARACTERS:  # following its steps could take minutes
            return str(path), set()
        real = self._plain(self._disk.real_path(str(self._plain(path))))
        here = real.anchor
        ignored: set[Respelling] = {other_case} if self._flavour is PureWindowsPath else set()
        for name in real.parts[1:] if here else ():
            here = self._names.join(here, self._names.spelled(here, name, ignored))
        return here or str(real), ignored

    def _plain(self, path: str | PurePath) -> PurePath:
        """Return a path without the spellings that text alone shows."""
        return _plain_windows(str(path)) if self._flavour is PureWindowsPath else _plain_posix(str(path))


def _plain_posix(path: str) -> PurePath:
    """Return a path that begins with one slash; POSIX leaves open what two slashes mean."""
    return PurePosixPath(f"/{path.lstrip('/')}" if path.startswith("//") else path)


def _plain_windows(path: str) -> PurePath:
    """Return a path without the prefix for long paths, with an upper-case drive letter or a lower-case share."""
    path = path.replace("/", "\\")
    if path.upper().startswith("\\\\?\\UNC\\"):
        path = f"\\\\{path[8:]}"
    elif path.startswith("\\\\?\\") and path[5:6] == ":":
        path = path[4:]
    pure = PureWindowsPath(path)
    drive, rest = pure.drive, str(pure)[len(pure.drive) :]
    return PureWindowsPath(f"{drive.upper() if drive[1:] == ':' else drive.lower()}{rest}")


_resolver = Resolver()
"""This machine's. All parts share it, so that what one of them learned of a folder serves the others."""


def resolve(path: str | PurePath) -> Path:
    """Return the identity of a file, which need not exist. An unusable path (a NUL, a loop of links) stays as it is."""
    return Path(_resolver.resolve(path))


def resolve_entry(path: str | PurePath) -> Path:
    """Return the identity of a name in a folder: see :meth:`Resolver.entry`."""
    return Path(_resolver.entry(path))


def entries_and_files(paths: Iterable[str | PurePath]) -> list[str]:
    """Return what a change of some names is about: see :meth:`Resolver.entries_and_files`."""
    return _resolver.entries_and_files(paths)


def ignores_case(folder: str | PurePath) -> bool:
    """Return whether a folder ignores the case of the names in it."""
    return _resolver.ignores_case(folder)
