"""Finds real source files on this machine, by language.

Only folders of package managers are searched, never the user's own files. The same machine gives the same files every
time.
"""

from __future__ import annotations

import itertools
import os
import sysconfig
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from midfill.code.languages import LANGUAGES, UNPARSED_LANGUAGES, Language
from midfill.code.source_files import MAX_SOURCE_BYTES, is_handwritten, read_source
from midfill.common.child_programs import find_program
from midfill.common.paths import cache_dir

_PROSE = frozenset(("HTML", "Markdown"))
_UNPARSED = frozenset(("CMake", "Perl", "PowerShell", "Tcl", "Vim script"))
INSTALLED = (
    *(language for language in LANGUAGES if language.name not in _PROSE),
    *(language for language in UNPARSED_LANGUAGES if language.name in _UNPARSED),
)
"""The languages that are searched for: the programming languages that are parsed, and some more."""

_MIN_BYTES, _MAX_BYTES = 2_000, 40_000
"""Size of a file: large enough for a context, and small enough to be edited by hand."""
_MAX_FILES_PER_ROOT = 400_000
"""The search of a root ends after this number of files."""
_SKIPPED = frozenset(
    (
        "__pycache__",
        ".git",
        "html",
        "icons",
        "keymap",
        "lang",
        "locale",
        "locales",
        "man",
        "spell",
        "tutor",
        "unicore",
        "zoneinfo",
    )
)
DECLARATIONS = (".d.ts", ".d.mts", ".d.cts", ".min.js", ".min.css")
"""Endings of files that nobody types."""
_JAVA = "src.zip"
"""The archive in which a JDK has its library's sources."""
_NAME_PARTS = 3
"""Number of the last parts of a path that a file's name keeps."""


@dataclass(frozen=True)
class SourceFile:
    """A source file, on its own or in an archive."""

    path: str
    """The path of the file, or of the archive."""
    member: str
    """The file's name in the archive; "" if it is not in an archive."""
    size: int
    """Size in bytes."""

    @property
    def name(self) -> str:
        """The end of the path, which does not reveal the folders of this machine."""
        return "/".join(Path(self.member or self.path).parts[-_NAME_PARTS:])

    def read(self) -> str | None:
        r"""Return the text, with ``\n`` as line ends; None if it is not handwritten, or cannot be read."""
        if not self.member:
            return read_source(Path(self.path), MAX_SOURCE_BYTES)
        try:
            with zipfile.ZipFile(self.path) as archive:
                text = archive.read(self.member).decode("utf-8").replace("\r\n", "\n")
        except (OSError, KeyError, UnicodeDecodeError, zipfile.BadZipFile):
            return None
        return text if is_handwritten(text) else None


def pick(language: Language, count: int, roots: Sequence[Path] | None = None) -> list[tuple[SourceFile, str]]:
    """Return up to ``count`` files and their texts: near the median size, all different, from different folders.

    ``roots`` are the folders to search; None for those of this machine's package managers. Files with the language's
    first suffix come first: for C, source files before headers.
    """
    installed = _installed(tuple(installed_roots() if roots is None else roots))
    picked: dict[str, SourceFile] = {}
    for suffix in language.suffixes:
        found = installed.get(suffix, [])
        sizes = sorted(file.size for file in found)
        ranked = sorted(found, key=lambda file: (abs(file.size - sizes[len(sizes) // 2]), file.path, file.member))
        for file in _from_all_folders(ranked):
            if len(picked) >= count:
                break
            text = file.read()
            if text is not None:
                picked.setdefault(text, file)
    return [(file, text) for text, file in picked.items()]


def _from_all_folders(ranked: Sequence[SourceFile]) -> Iterator[SourceFile]:
    """Yield the first file of each folder, then all others."""
    folders: set[str] = set()
    rest = []
    for file in ranked:
        folder = os.path.dirname(file.member or file.path)
        if folder in folders:
            rest.append(file)
        else:
            folders.add(folder)
            yield file
    yield from rest


@cache
def _installed(roots: tuple[Path, ...]) -> dict[str, list[SourceFile]]:
    """Return all files by their suffix. The first call takes some seconds."""
    wanted = {suffix for language in INSTALLED for suffix in language.suffixes}
    found: dict[str, list[SourceFile]] = {}
    for file in itertools.chain.from_iterable(map(_walk, roots)):
        name = (file.member or file.path).lower()
        suffix = PurePosixPath(name).suffix
        if suffix in wanted and _MIN_BYTES <= file.size <= _MAX_BYTES and not name.endswith(DECLARATIONS):
            found.setdefault(suffix, []).append(file)
    return found


def installed_roots() -> list[Path]:
    """Return the folders in which package managers install source files; no folder is within another one."""
    home = Path.home()
    nvim = find_program("nvim")
    candidates = [
        Path(sysconfig.get_path("stdlib")),
        Path(sysconfig.get_path("purelib")),
        *(Path(top) / part for top in ("/usr", "/usr/local", "/opt/homebrew") for part in ("include", "lib", "share")),
        *(home / part for part in (".cargo/registry/src", ".rustup/toolchains", "go/pkg/mod")),
        *([Path(nvim).resolve().parents[1] / "share"] if nvim else []),
        cache_dir() / "editors",  # `nox -s editors` and `nox -s vscode` install here
        Path(os.environ.get("MIDFILL_EDITORS", cache_dir() / "editors")),
    ]
    roots = dict.fromkeys(candidate.resolve() for candidate in candidates if candidate.is_dir())
    return [root for root in roots if not any(root != other and root.is_relative_to(other) for other in roots)]


def _walk(root: Path) -> Iterator[SourceFile]:
    entries = 0
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(set(folders) - _SKIPPED)
        entries += len(files)
        if entries > _MAX_FILES_PER_ROOT:
            return
        for name in sorted(files):
            path = os.path.join(folder, name)
            if name == _JAVA:
                yield from _members(path)
            elif not os.path.islink(path):
                try:
                    yield SourceFile(path, "", os.stat(path).st_size)
                except OSError:
                    continue


def _members(path: str) -> Iterator[SourceFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in sorted(archive.infolist(), key=lambda entry: entry.filename):
                yield SourceFile(path, entry.filename, entry.file_size)
    except (OSError, zipfile.BadZipFile):
        return
