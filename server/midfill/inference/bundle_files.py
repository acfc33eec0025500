"""The files of a bundle: their sizes and hashes, and the comparison with what the manifest says of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midfill.common.errors import BundleDamaged
from midfill.common.json_store import JsonStore
from midfill.common.os_errors import explain
from midfill.common.regular_file import open_regular


@dataclass(frozen=True, kw_only=True)
class FileEntry:
    """Size in bytes and SHA-256 of one file of the bundle."""

    size: int
    sha256: str


def describe_files(path: Path, names: list[str]) -> dict[str, FileEntry]:
    """Return the sizes and hashes of the named files in the folder ``path``."""
    return {name: FileEntry(size=(path / name).stat().st_size, sha256=hash_file(path / name)) for name in names}


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a regular file, in hexadecimal.

    Raises:
        OSError: it cannot be read, or is not a regular file.
    """
    digest = hashlib.sha256()
    with open_regular(path) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def check_files(path: Path, files: Mapping[str, FileEntry]) -> None:
    """Compare the files in the folder ``path`` with what a manifest says of them.

    A file is hashed only if its size or its time of change differ from those at its last check.

    Raises:
        BundleDamaged: a file is missing or differs. The message names the first one.
    """
    verified = _VerifiedFiles()
    for name, entry in files.items():
        file = path / name
        try:
            size = file.stat().st_size
        except OSError:
            raise BundleDamaged(f"{file} is missing: export the bundle again.") from None
        if size != entry.size:
            raise BundleDamaged(f"{file} has {size} bytes instead of {entry.size}: export the bundle again.")
        if verified.has(file, entry.sha256):
            continue
        try:
            found = hash_file(file)
        except OSError as error:
            raise BundleDamaged(f"{file} cannot be read ({explain(error)}): export the bundle again.") from None
        if found != entry.sha256:
            raise BundleDamaged(f"{file} is not what was exported (its SHA-256 differs): export the bundle again.")
        verified.add(file, entry.sha256)
    verified.save()


class _VerifiedFiles:
    """Remembers in the cache folder which files were hashed, with their sizes and times of change."""

    def __init__(self) -> None:
        self._stamps = JsonStore("verified")
        self._new: dict[str, list[Any]] = {}

    def has(self, file: Path, sha256: str) -> bool:
        return bool(self._stamps.get(str(file.resolve())) == self._stamp(file, sha256))

    def add(self, file: Path, sha256: str) -> None:
        self._new[str(file.resolve())] = self._stamp(file, sha256)

    def save(self) -> None:
        if self._new:  # if this fails, the only cost is a second of hashing at each start
            self._stamps.update(lambda values: values.update(self._new))

    @staticmethod
    def _stamp(file: Path, sha256: str) -> list[Any]:
        status = file.stat()
        return [status.st_size, status.st_mtime_ns, sha256]
