"""Weights from a hub, which runs on this machine here."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from export.weights.tiny_weights import CONTENT, REGISTRY, TINY, ignore, leftovers
from midfill.common.errors import SourceError
from midfill_export.weights.downloader import Unavailable
from midfill_export.weights.hub import from_hub, stated_by_hub
from midfill_export.weights.pull import pull
from midfill_export.weights.weights import MEBIBYTE

HUB_CONTENT = CONTENT * 100  # the hub's client writes nothing before it has ten mebibytes
ON_HUB = replace(TINY, size=len(HUB_CONTENT), sha256=hashlib.sha256(HUB_CONTENT).hexdigest())


class Hub(BaseHTTPRequestHandler):
    """A hub with one file, which breaks off its first answer half way."""

    requests: list[tuple[str, str | None]]
    """Method and Range header of each request."""
    headers_of_file: ClassVar = {"ETag": f'"{ON_HUB.sha256}"', "X-Repo-Commit": "0" * 40}

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
        for name, value in self.headers_of_file.items():
            self.send_header(name, value)
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
def test_hash_that_the_hub_states(hub: type[Hub]) -> None:
    """It has the file's SHA-256 and size; what it does not have, or does not state, it cannot tell."""
    assert stated_by_hub(ON_HUB) == (ON_HUB.sha256, len(HUB_CONTENT))
    assert hub.requests == [("HEAD", None)]
    with pytest.raises(Unavailable, match="it answers with status 404"):
        stated_by_hub(replace(ON_HUB, hub_repo="somebody/else"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(hub.headers_of_file, "ETag", '"of a file that is not large"')
        with pytest.raises(Unavailable, match="it states no SHA-256 of the file"):
            stated_by_hub(ON_HUB)


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
