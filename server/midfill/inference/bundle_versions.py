"""The versions of a bundle: they let a bundle be replaced while a server uses it.

::

    manifest.json    names the version that is loaded from now on
    v3/              the files of that version
    v2/              an older version that a server still has in memory

Windows neither deletes nor renames a file that is mapped into memory. So a new version gets a folder of its own, and
then the manifest is replaced, in one step. The numbers of versions only grow: nobody loads a version that is older than
the manifest's. It is removed when a version is added or when the bundle is loaded, as soon as the system allows it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from midfill.common.errors import BundleError, ModelError
from midfill.common.file_system import FileStamp, stamp_of
from midfill.common.regular_file import read_regular
from midfill.inference.bundle import GRAPH, MANIFEST, MAX_MANIFEST_BYTES, TOKENIZER, VERSION

T = TypeVar("T")
_FILES = (GRAPH, f"{GRAPH}.data", TOKENIZER)
"""The files of a version. Those of format 1, which counts as version 0, are beside the manifest."""


def next_version(path: Path) -> str:
    """Return the name of the folder that a new version of the bundle in ``path`` gets."""
    return f"v{max([_current(path), *_numbers(path)]) + 1}"


def remove_old_versions(path: Path) -> None:
    """Remove what the manifest of the bundle in ``path`` no longer names. What cannot be removed now stays."""
    current = _current(path)
    for number in _numbers(path):
        if number < current:
            shutil.rmtree(path / f"v{number}", ignore_errors=True)
    for name in _FILES if current else ():
        with suppress(OSError):
            os.unlink(path / name)


def discard_version(path: Path, folder: str) -> None:
    """Remove a version that could not be finished, unless the manifest of the bundle in ``path`` names it already."""
    if folder != f"v{_current(path)}":
        shutil.rmtree(path / folder, ignore_errors=True)


def load_current(path: Path, load: Callable[[], T]) -> T:
    """Call ``load`` for the bundle in ``path``, and again if it fails because the bundle was replaced meanwhile."""
    manifest = str(path / MANIFEST)
    while True:
        before = stamp_of(manifest)
        try:
            return load()
        except (BundleError, ModelError):
            if stamp_of(manifest) == before:
                raise


def stamps_of_files(path: Path) -> list[FileStamp | None]:
    """Return the stamps of a bundle's files: they differ after each change of the bundle in ``path``."""
    current = _current(path)
    folder = path / f"v{current}" if current else path
    return [stamp_of(str(file)) for file in (path / MANIFEST, *(folder / name for name in _FILES))]


def _current(path: Path) -> int:
    """Return the number of the version that the manifest names; 0 if it names none, or cannot be read."""
    with suppress(OSError, ValueError, RecursionError):
        data = json.loads(read_regular(path / MANIFEST, MAX_MANIFEST_BYTES))
        if isinstance(data, dict) and (found := VERSION.fullmatch(str(data.get("folder")))):
            return int(found[1])
    return 0


def _numbers(path: Path) -> list[int]:
    """Return the numbers of all versions that have a folder."""
    names = []
    with suppress(OSError):
        names = [entry.name for entry in path.iterdir()]
    return [int(found[1]) for name in names if (found := VERSION.fullmatch(name))]
