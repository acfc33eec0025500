"""Real source files of this machine: of what is installed beside Midfill, by language.

Nothing of the user's own is looked at: only folders where package managers put things. The same machine gives the same
files every time.
"""

from __future__ import annotations

import itertools
import os
import shutil
import sysconfig
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from midfill.code.languages import LANGUAGES, Language
from midfill.code.source_files import MOST_BYTES, is_handwritten, read_source
from midfill.common.paths import cache_dir

_PROSE = frozenset(("HTML", "Markdown"))
INSTALLED = (
    *(language for language in LANGUAGES if language.name not in _PROSE),
    Language("Perl", "", (".pl", ".pm"), ("perl",), "#"),
    Language("PowerShell", "", (".ps1", ".psm1"), ("powershell",), "#"),
    Language("Tcl", "", (".tcl",), ("tcl",), "#"),
    Language("Vim script", "", (".vim",), ("vim",), '"'),
    Language("CMake", "", (".cmake",), ("cmake",), "#"),
)
"""The languages that are looked for: those of programs that Midfill knows, and some that many machines have."""

_MIN_BYTES, _MAX_BYTES = 2_000, 40_000
"""Bytes: room for a context, and a file that somebody edits by hand."""
_MAX_FILES_PER_ROOT = 400_000
"""Of one root; what comes after is left out."""
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
_DECLARATIONS = (".d.ts", ".d.mts", ".d.cts", ".min.js", ".min.css")
"""What nobody types."""
_JAVA = "src.zip"
"""Where a JDK has its library's sources."""
_SHOWN_PARTS = 3


@dataclass(frozen=True)
class SourceFile:
    """A file that was found."""

    path: str
    member: str
    """Its name in the archive that ``path`` then is, "" for a file of its own."""
    size: int

    @property
    def name(self) -> str:
        """The end of its path, which says enough and nothing about the machine."""
        return "/".join(Path(self.member or self.path).parts[-_SHOWN_PARTS:])

    def read(self) -> str | None:
        """Return its text with plain newlines; None when it is not what somebody wrote, or cannot be read."""
        if not self.member:
            return read_source(Path(self.path), MOST_BYTES)
        try:
            with zipfile.ZipFile(self.path) as archive:
                text = archive.read(self.member).decode("utf-8").replace("\r\n", "\n")
        except (OSError, KeyError, UnicodeDecodeError, zipfile.BadZipFile):
            return None
        return text if is_handwritten(text) else None


def pick(language: Language, count: int, roots: Sequence[Path] | None = None) -> list[tuple[SourceFile, str]]:
    """Return up to ``count`` files and their texts: of median size, all different, of different folders if possible.

    They are looked for in ``roots``, or where this machine has what is installed. Files with the language's first
    ending come first: a header tells less of C than a source file.
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
    """Yield the best of each folder first, then the rest."""
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
    """Return all files by their ending; takes some seconds the first time."""
    wanted = {suffix for language in INSTALLED for suffix in language.suffixes}
    found: dict[str, list[SourceFile]] = {}
    for file in itertools.chain.from_iterable(map(_walk, roots)):
        name = (file.member or file.path).lower()
        suffix = PurePosixPath(name).suffix
        if suffix in wanted and _MIN_BYTES <= file.size <= _MAX_BYTES and not name.endswith(_DECLARATIONS):
            found.setdefault(suffix, []).append(file)
    return found


def installed_roots() -> list[Path]:
    """Return the folders where package managers put source files; none is within another one."""
    home = Path.home()
    nvim = shutil.which("nvim")
    candidates = [
        Path(sysconfig.get_path("stdlib")),
        Path(sysconfig.get_path("purelib")),
        *(Path(top) / part for top in ("/usr", "/usr/local", "/opt/homebrew") for part in ("include", "lib", "share")),
        *(home / part for part in (".cargo/registry/src", ".rustup/toolchains", "go/pkg/mod")),
        *([Path(nvim).resolve().parents[1] / "share"] if nvim else []),
        cache_dir() / "editors",  # what `nox -s editors` and `nox -s vscode` install
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
