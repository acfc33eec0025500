"""The names in a folder, as the folder lists them.

Some file systems ignore the case of names. Some ignore the form of Unicode: one character for ``é``, or ``e`` and an
accent. Whether a folder does is asked of the folder itself: do two spellings of a name in it have the same file number?
The answer is kept, for each folder, because Windows and Linux can have both kinds on one disk. In a folder that ignores
nothing, a name is what it is, and nothing more is asked.
"""

from __future__ import annotations

import os
import threading
import time
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

_MAX_FOLDERS = 4_096
"""Maximum number of folders of which it is remembered what they ignore."""
_MAX_LISTINGS = 256
"""Maximum number of folders whose names are remembered; needed only where case or form are ignored."""
_MAX_NAMES = 50_000
"""Maximum number of names in all of them but the latest one. A name takes about 200 bytes."""
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
    """The names that may be one name, by :func:`loosely`; without those that are their own key, which most are."""
    former: dict[str, str]
    """Names that do not exist, by :func:`loosely`: as they were when they did, or as they were first asked for."""
    undecided: set[Respelling] = field(default_factory=set)
    """The differences of spelling of which no name in the folder tells whether they matter."""

    def __len__(self) -> int:
        return len(self.names) + len(self.former)


class FolderNames:
    """Tells how names are spelled. Any thread may use it."""

    def __init__(self, disk: Disk, separator: str) -> None:
        """Ask a disk whose paths have this separator."""
        self._disk = disk
        self._separator = separator
        self._ignoring: dict[tuple[Respelling, str], bool] = {}
        self._listings: dict[str, _Listing] = {}
        self._lock = threading.Lock()

    def join(self, folder: str, name: str) -> str:
        """Return the path of a name in a folder."""
        return f"{folder}{name}" if folder.endswith(self._separator) else f"{folder}{self._separator}{name}"

    def spelled(self, folder: str, name: str, ignored: set[Respelling]) -> str:
        """Return a name as the folder lists it, or as it did when the name existed. See :meth:`ignores`.

        A name that never existed keeps the first spelling that was asked for.
        """
        if not [respell for respell in _RESPELLINGS if self.ignores(respell, folder, name, ignored)]:
            return name
        listing = self._listing(folder)
        if name in listing.names:
            return name
        number = self._disk.file_number(self.join(folder, name))
        if number is None:
            if len(listing.former) >= _MAX_FORMER_NAMES:
                listing.former.clear()
            return listing.former.setdefault(loosely(name), name)
        key = loosely(name)
        alike = [*listing.by_key.get(key, ()), *({key} & listing.names)]
        return next((other for other in alike if self._disk.file_number(self.join(folder, other)) == number), name)

    def ignores(self, respell: Respelling, folder: str, name: str | None, ignored: set[Respelling]) -> bool:
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
            number = self._disk.file_number(self.join(folder, name)) if other else None
            if other and number is not None:
                if number != self._disk.file_number(self.join(folder, other)):
                    return False
                return not {name, other} <= self._listing(folder).names  # those are two hard links of one file
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
                if (key := loosely(name)) != name:
                    by_key.setdefault(key, []).append(name)
            known = _Listing(stamp, is_settled, names, by_key, former)
        with self._lock:
            self._listings.pop(folder, None)
            self._listings[folder] = known  # the last one to be dropped
            others = sum(map(len, self._listings.values())) - len(known)
            while len(self._listings) > _MAX_LISTINGS or others > _MAX_NAMES:
                others -= len(self._listings.pop(next(iter(self._listings))))
        return known


def loosely(name: str) -> str:
    """Return what spellings of a name have in common that differ in case or in the form of Unicode."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def other_case(name: str) -> str | None:
    """Return a name with its letters in the other case; None if that is no other name."""
    pairs = ((letter, letter.swapcase()) for letter in name)
    swapped = (other if other.swapcase() == letter else letter for letter, other in pairs)  # not ß, which becomes SS
    other = "".join(swapped)
    return other if other != name else None


def _other_form(name: str) -> str | None:
    forms = (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))
    return next((other for other in forms if other != name), None)


_RESPELLINGS: tuple[Respelling, ...] = (other_case, _other_form)
