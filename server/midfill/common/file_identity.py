"""The identity of a file: one path for it, however it is spelled.

A file has many spellings: through links, with ``..``, in another case or another form of Unicode where the file system
ignores that, with a drive letter of either case, with Windows' prefix for long paths. Its identity is the absolute path
without links, with names as their folders list them. What comes from outside (a URI of the editor, a setting, an
argument) is resolved here once, and everything inside compares identities. What is found in a folder with an identity
has one already.

Whether a folder ignores case, or the form of Unicode, is asked of the folder itself: whether two spellings of a name in
it have the same file number. A name that no longer exists keeps the spelling that it had.
"""

from __future__ import annotations

import os
import threading
import time
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

from midfill.common.file_uri import MAX_PATH_CHARACTERS, OWN, Flavour

_MAX_FOLDERS = 4_096
"""Maximum number of folders of which it is remembered what they ignore."""
_MAX_LISTINGS = 256
"""Maximum number of folders whose names are remembered; needed only where case or form are ignored."""
_STAMP_NANOSECONDS = 2_000_000_000
"""How exactly the coarsest file system, FAT, tells when a folder was changed."""
_MAX_FORMER_NAMES = 1_024
"""Maximum number of names of a folder that are remembered after they were deleted."""

Respelling = Callable[[str], "str | None"]
"""Takes a name, and returns another spelling of it; None if there is none."""


class Disk:
    """What is asked of the file system. No method raises an error; each has a result for a path that is unusable."""

    def real_path(self, path: str) -> str:
        """Return the absolute path without links; an unusable path unchanged. The rest of a missing path stays."""
        try:
            return os.path.realpath(path)
        except (OSError, ValueError, RecursionError):  # a NUL, a path that is too long, a chain of a thousand links
            return path

    def is_link(self, path: str) -> bool:
        """Return whether a name is that of a link."""
        return os.path.islink(path)

    def file_number(self, path: str) -> tuple[int, int] | None:
        """Return a number that no other file has; None for a missing file. Links are not followed."""
        try:
            status = os.lstat(path)
        except (OSError, ValueError):
            return None
        return status.st_dev, status.st_ino

    def stamp(self, folder: str) -> int | None:
        """Return when the names in a folder were last changed, in nanoseconds since 1970; None for a missing folder."""
        try:
            return os.stat(folder).st_mtime_ns
        except (OSError, ValueError):
            return None

    def names(self, folder: str) -> frozenset[str]:
        """Return the names in a folder; none for one that cannot be read."""
        try:
            return frozenset(os.listdir(folder))
        except (OSError, ValueError):
            return frozenset()


@dataclass(frozen=True)
class _Listing:
    """The names in a folder."""

    stamp: int | None
    is_settled: bool
    """Whether the stamp must have changed if the names have. Two changes soon after each other may have one stamp."""
    names: frozenset[str]
    by_key: dict[str, list[str]]
    """The names that may be one name, by :func:`loosely`."""
    former: dict[str, str]
    """Names that do not exist, by :func:`loosely`: as they were when they did, or as they were first asked for."""
    undecided: set[Respelling] = field(default_factory=set)
    """The differences of spelling of which no name in the folder tells whether they matter."""


class Resolver:
    """Resolves paths. Any thread may use it."""

    def __init__(self, disk: Disk | None = None, flavour: Flavour = OWN) -> None:
        """Use the rules of a system, by default this one's."""
        self._disk = disk or Disk()
        self._flavour = flavour
        self._separator = "\\" if flavour is PureWindowsPath else "/"
        self._ignoring: dict[tuple[Respelling, str], bool] = {}
        self._listings: dict[str, _Listing] = {}
        self._lock = threading.Lock()

    def resolve(self, path: str | PurePath) -> str:
        """Return the identity of a file, which need not exist. An unusable path stays as it is."""
        return self._resolved(path)[0]

    def entry(self, path: str | PurePath) -> str:
        """Return the identity of a name in a folder: a link is not followed, but the folder is resolved."""
        plain = self._plain(path)
        if plain.name in ("", ".."):
            return self.resolve(plain)
        folder, ignored = self._resolved(plain.parent)
        return self._join(folder, self._name_in(folder, plain.name, ignored))

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
            entry = self._join(folder, self._name_in(folder, plain.name, ignored))
            file = self.resolve(entry) if self._disk.is_link(entry) else entry
            found |= dict.fromkeys((self._join(folder, plain.name), entry, file))
        return list(found)

    def ignores_case(self, folder: str | PurePath) -> bool:
        """Return whether a folder ignores the case of the names in it."""
        path, ignored = self._resolved(folder)
        return self._ignores(_other_case, path, None, ignored)

    def _resolved(self, path: str | PurePath) -> tuple[str, set[Respelling]]:
        """Return the identity of a file or folder, and what the folders above it ignore."""
        if len(str(path)) > MAX_PATH_CHARACTERS:  # following its steps could take minutes
            return str(path), set()
        real = self._plain(self._disk.real_path(str(self._plain(path))))
        here = real.anchor
        ignored: set[Respelling] = {_other_case} if self._flavour is PureWindowsPath else set()
        for name in real.parts[1:] if here else ():
            here = self._join(here, self._name_in(here, name, ignored))
        return here or str(real), ignored

    def _plain(self, path: str | PurePath) -> PurePath:
        """Return a path without the spellings that text alone shows."""
        return _plain_windows(str(path)) if self._flavour is PureWindowsPath else _plain_posix(str(path))

    def _join(self, folder: str, name: str) -> str:
        return f"{folder}{name}" if folder.endswith(self._separator) else f"{folder}{self._separator}{name}"

    def _name_in(self, folder: str, name: str, ignored: set[Respelling]) -> str:
        """Return a name as the folder lists it, or as it did when the name existed; see :meth:`_ignores`."""
        if not [respell for respell in _RESPELLINGS if self._ignores(respell, folder, name, ignored)]:
            return name
        listing = self._listing(folder)
        if name in listing.names:
            return name
        number = self._disk.file_number(self._join(folder, name))
        if number is None:
            if len(listing.former) >= _MAX_FORMER_NAMES:
                listing.former.clear()
            return listing.former.setdefault(loosely(name), name)
        alike = listing.by_key.get(loosely(name), ())
        return next((other for other in alike if self._disk.file_number(self._join(folder, other)) == number), name)

    def _ignores(self, respell: Respelling, folder: str, name: str | None, ignored: set[Respelling]) -> bool:
        """Return whether a folder ignores a difference of spelling that a name has, or any name if it is None.

        The folder is asked by that name, or else by another one that is in it. If none can tell, the folder is taken to
        be like the one above it, whose answer is in ``ignored``. This folder's answer is noted there.
        """
        known = self._ignoring.get((respell, folder))
        if known is None:
            if name is not None and respell(name) is None:
                return False
            known = self._probe(respell, folder, () if name is None else (name,))
            if known is None and respell not in (listing := self._listing(folder)).undecided:
                known = self._probe(respell, folder, listing.names)
                listing.undecided.add(respell)
            if known is None:
                return respell in ignored
            if len(self._ignoring) >= _MAX_FOLDERS:
                self._ignoring.clear()
            self._ignoring[respell, folder] = known
        (ignored.add if known else ignored.discard)(respell)
        return known

    def _probe(self, respell: Respelling, folder: str, names: Iterable[str]) -> bool | None:
        """Return whether two spellings of a name are one file; None if none of the names exists and has two."""
        for name in names:
            other = respell(name)
            number = self._disk.file_number(self._join(folder, name)) if other else None
            if other and number is not None:
                return number == self._disk.file_number(self._join(folder, other))
        return None

    def _listing(self, folder: str) -> _Listing:
        """Return the names in a folder, read again only after a change."""
        stamp = self._disk.stamp(folder)
        known = self._listings.get(folder)
        if known is None or known.stamp != stamp or not known.is_settled:
            is_settled = stamp is None or time.time_ns() - stamp > _STAMP_NANOSECONDS
            names = self._disk.names(folder)
            former = {**known.former, **{loosely(name): name for name in known.names - names}} if known else {}
            by_key: dict[str, list[str]] = {}
            for name in names:
                by_key.setdefault(loosely(name), []).append(name)
            known = _Listing(stamp, is_settled, names, by_key, former)
        with self._lock:
            self._listings.pop(folder, None)
            self._listings[folder] = known  # the last one to be dropped
            while len(self._listings) > _MAX_LISTINGS:
                del self._listings[next(iter(self._listings))]
        return known


def loosely(name: str) -> str:
    """Return what spellings of a name have in common that differ in case or in the form of Unicode."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _other_case(name: str) -> str | None:
    pairs = ((letter, letter.swapcase()) for letter in name)
    swapped = (other if other.swapcase() == letter else letter for letter, other in pairs)  # not ß, which becomes SS
    other = "".join(swapped)
    return other if other != name else None


def _other_form(name: str) -> str | None:
    forms = (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))
    return next((other for other in forms if other != name), None)


_RESPELLINGS: tuple[Respelling, ...] = (_other_case, _other_form)


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
