"""Reads the source files of a release: a folder, a wheel or another zip archive, or a tar archive of PyPI or npm.

An archive is read in memory and never unpacked. Vendored, generated and minified files are left out.
"""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from midfill.code.languages import language_of
from midfill.code.source_files import MAX_SOURCE_BYTES, is_handwritten
from midfill.common.errors import EvalError
from midfill.common.regular_file import read_regular
from midfill.evals.edits.hunks import FileChange
from midfill.evals.sources import DECLARATIONS, INSTALLED

_MAX_MEMBERS = 50_000
"""Maximum number of files of a release."""
_MAX_TOTAL_BYTES = 400_000_000
"""Maximum size of the source files of a release."""
_VENDORED = frozenset(
    ("_vendor", "vendor", "vendored", "_vendored", "third_party", "third-party", "thirdparty", "extern", "externals",
     "node_modules", "site-packages", "bower_components", "dist", "build", "locale", "locales")
)  # fmt: skip
"""Names of folders whose files somebody else wrote, or a program."""
_ZIP, _TAR = (".whl", ".zip"), (".tar.gz", ".tgz")


def is_source(path: str) -> bool:
    """Return whether a file, by its path in the project, is source code that its authors write."""
    pure = PurePosixPath(path)
    return (
        language_of(pure) in INSTALLED
        and not path.lower().endswith(DECLARATIONS)
        and not _VENDORED.intersection(part.lower() for part in pure.parts[:-1])
    )


def to_source(data: bytes) -> str | None:
    r"""Return the text of a source file, with "\n" as line ending; None if it is generated, minified or no text."""
    if not data or len(data) > MAX_SOURCE_BYTES or b"\0" in data:
        return None
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        return None
    return text if is_handwritten(text) else None


def changes_between(project: str, version: str, older: Path, newer: Path) -> Iterator[FileChange]:
    """Yield the source files that differ between two releases, by their paths.

    Raises:
        EvalError: a release cannot be read.
    """
    before, after = read_release(older), read_release(newer)
    for path in sorted(before.keys() & after.keys()):
        if before[path] != after[path]:
            yield FileChange(project, version, path, before[path], after[path])


def read_release(release: Path) -> Mapping[str, str]:
    """Return the source files of a release: their texts by their paths.

    Raises:
        EvalError: it is no release, cannot be read, or is too large.
    """
    try:
        if release.is_dir():
            members = _of_folder(release)
        elif release.name.endswith(_ZIP):
            members = _of_zip(release)
        elif release.name.endswith(_TAR):
            members = _of_tar(release)
        else:
            raise EvalError(f"{release} is no release: name a folder, or a .whl, .zip, .tar.gz or .tgz file.")
        return _texts(release, members)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise EvalError(
            f"the release {release} cannot be read ({type(error).__name__}): fetch it again, or name another one."
        ) from error


def _texts(release: Path, members: Iterator[tuple[str, bytes | None]]) -> dict[str, str]:
    """Return the texts of members that are source files; a member without data is none."""
    texts: dict[str, str] = {}
    total = 0
    for number, (path, data) in enumerate(members):
        total += len(data or b"")
        if number >= _MAX_MEMBERS or total > _MAX_TOTAL_BYTES:
            raise EvalError(f"the release {release} is too large to be measured on: name a smaller one.")
        if data is not None and (text := to_source(data)) is not None:
            texts[path] = text
    return texts


def _is_wanted(path: str, size: int) -> bool:
    return size <= MAX_SOURCE_BYTES and is_source(path)


def _of_folder(folder: Path) -> Iterator[tuple[str, bytes | None]]:
    for file in sorted(folder.rglob("*")):
        path = file.relative_to(folder).as_posix()
        wanted = is_source(path) and not file.is_symlink() and file.is_file()
        yield path, read_regular(file, MAX_SOURCE_BYTES) if wanted and file.stat().st_size <= MAX_SOURCE_BYTES else None


def _of_zip(file: Path) -> Iterator[tuple[str, bytes | None]]:
    with zipfile.ZipFile(file) as archive:
        for entry in archive.infolist():
            wanted = _is_wanted(entry.filename, entry.file_size)
            yield entry.filename, archive.read(entry) if wanted else None


def _of_tar(file: Path) -> Iterator[tuple[str, bytes | None]]:
    """Yield the members of a tar archive, without its top folder, which has the version in its name."""
    with tarfile.open(file, "r:gz") as archive:
        for entry in archive:
            path = entry.name.partition("/")[2]
            opened = archive.extractfile(entry) if entry.isfile() and _is_wanted(path, entry.size) else None
            yield path, opened.read() if opened is not None else None
