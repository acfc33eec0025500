"""The ignore files that hold for a folder: its own and those of the folders above it, up to the repository's root.

They may be a stranger's. So they are read as bounded regular files, and all that hold for one folder together have a
maximum size. What cannot be read in full excludes its whole folder: it may exclude anything.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from midfill.common.file_system import FileStamp
from midfill.common.regular_file import read_regular
from midfill.privacy.git_folders import exclusions_of
from midfill.privacy.ignore_patterns import MAX_WILDCARD_BYTES, PatternList, lines_of

GIT_FILE, OWN_FILE = ".gitignore", ".midfillignore"
_MAX_BYTES = 262_144
"""Maximum size of all ignore files that hold for one folder."""
_MAX_KEPT_MEMORY = 32 << 20
"""Maximum memory of remembered patterns, in bytes, by :func:`_memory_of`."""
_MAX_TOLD = 100
"""Maximum number of folders that the log names."""
_EVERYTHING = PatternList([b"*"])
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FolderRules:
    """The rules that one folder's files set for what is in it."""

    folder: str
    git: PatternList | None
    """Those of ``.gitignore``."""
    repository: tuple[PatternList, ...]
    """Those of the user, if a repository begins here: of its ``info/exclude``, and of the file for all repositories."""
    own: PatternList | None
    """Those of ``.midfillignore``."""
    size: int
    """The number of bytes of these files."""

    @property
    def lists(self) -> list[PatternList]:
        """The lists that exist."""
        return [patterns for patterns in (self.git, *self.repository, self.own) if patterns]


Chain = tuple[FolderRules, ...]
"""The folders that have rules, outer ones first."""


class IgnoreFiles:
    """Reads ignore files. A repeated question only reads their modification times."""

    def __init__(self, fold: Callable[[str], str]) -> None:
        """Compare paths and patterns after ``fold``, which is ``str`` where case matters."""
        self._fold = fold
        self._known: dict[str, tuple[FileStamp, PatternList]] = {}
        self._kept_memory = 0
        self._told: set[str] = set()

    def chain(self, root: Path, folder: Path) -> Chain:
        """Return the rules of the folders from ``root`` to ``folder``."""
        here = str(root)
        chain = self.extended((), here)
        for name in folder.parts[len(root.parts) :]:
            here = os.path.join(here, name)
            chain = self.extended(chain, here)
        return chain

    def extended(self, chain: Chain, folder: str) -> Chain:
        """Return the chain of a folder's parent with the folder's own rules."""
        if chain and chain[-1].own is _EVERYTHING:  # what is below is excluded, whatever it says
            return chain
        # git reads no `.gitignore` through a link
        files = [(os.path.join(folder, GIT_FILE), False), (os.path.join(folder, OWN_FILE), True)]
        files += [(file, True) for file in exclusions_of(folder)]
        room = _MAX_BYTES - sum(rules.size for rules in chain)
        stamps = {file: _stamp(file, follow_link=follow) for file, follow in files}
        if not any(stamps.values()):
            return chain
        read = {file: self._read(file, stamps[file], room) for file in stamps}
        size = sum(stamp[1] for file, stamp in stamps.items() if stamp and read[file])
        git, own, *repository = read.values()
        rules = FolderRules(folder, git, tuple(filter(None, repository)), own, size)
        lists = [patterns for step in (*chain, rules) for patterns in step.lists]
        is_too_much = size > room or sum(patterns.wildcard_bytes for patterns in lists) > MAX_WILDCARD_BYTES
        if is_too_much or _EVERYTHING in rules.lists:
            rules = self._excluding(folder)
        return (*chain, rules) if rules.lists else chain

    def _excluding(self, folder: str) -> FolderRules:
        """Return the rules of a folder whose ignore files cannot be used; log it the first time."""
        if folder not in self._told and len(self._told) < _MAX_TOLD:
            self._told.add(folder)
            _log.warning("All files in %s are excluded: its ignore files are too large or unreadable", Path(folder))
        return FolderRules(folder, None, (), _EVERYTHING, 0)

    def _read(self, file: str, stamp: FileStamp | None, room: int) -> PatternList | None:
        """Return the rules of a file, read again only after a change; None when there is no such file."""
        if stamp is None:
            return None
        known = self._known.get(file)
        if known and known[0] == stamp:
            return known[1]
        try:
            data = read_regular(file, max(room, 0))
        except (OSError, ValueError):  # it may be readable at the next question
            return _EVERYTHING
        patterns = PatternList(lines_of(self._folded(data)), ignore_case=self._fold is not str)
        memory = _memory_of(len(data), patterns)
        self._kept_memory += memory
        if self._kept_memory > _MAX_KEPT_MEMORY:
            self._known.clear()
            self._kept_memory = memory
        self._known[file] = stamp, patterns
        return patterns

    def _folded(self, data: bytes) -> bytes:
        if self._fold is str:
            return data
        return self._fold(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def _memory_of(size: int, patterns: PatternList) -> int:
    """Return about how many bytes the patterns of a file of ``size`` bytes take at most, as measured."""
    return 1_000 + 25 * size + 150 * patterns.wildcard_bytes


def _stamp(file: str, *, follow_link: bool) -> FileStamp | None:
    """Return a regular file's stamp, which differs after each change; None for anything else."""
    try:
        status = os.stat(file, follow_symlinks=follow_link)
    except (OSError, ValueError):
        return None
    return (status.st_mtime_ns, status.st_size) if stat.S_ISREG(status.st_mode) else None
