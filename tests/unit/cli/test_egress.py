"""`midfill doctor --egress`: an empty list for the server as it is, and a full one for a server that connects."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from midfill.cli import egress
from midfill.cli.doctor import Check
from midfill.client.server_process import SERVE
from midfill.common.errors import EgressUnwatched
from midfill.egress.watch import Watch
from midfill.settings.schema import Settings
from unit.cli.running import Run
from unit.helpers import chain_graph, encode, manifest, write_bundle
from unit.remote.model_server import ModelServer, serving

TEMPLATE = "{% for m in messages %}{{ m.content }}{% endfor %}{{ eos_token }}"
CONNECTING = """
import os, socket, sys
from midfill.cli.main import main
print(sorted(name for name in ("CI", "DO_NOT_TRACK") if name in os.environ), file=sys.stderr)
socket.socket().connect_ex(("CI" in os.environ and "192.0.2.99" or "192.0.2.1", 443))
sys.exit(main(["serve"]))
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings with a tiny bundle that says one word anywhere."""
    graph = chain_graph("left", anywhere=True)
    folder = write_bundle(tmp_path / "bundle", graph, chat_template=TEMPLATE, context_length=8192).path
    return Settings(bundle=folder, actions_bundle=tmp_path / "none")


def liking(text: str) -> np.ndarray:
    """Make the likings of a model that writes one text again and again."""
    size = manifest().vocabulary
    table = np.zeros((size, size), np.float32)
    tokens = encode(text)
    table[:, tokens[0]] = 9
    for token, after in pairwise(tokens):
        table[token] = 0
        table[token, after] = 9
    table[tokens[-1], sorted(manifest().stop_tokens)[0]] = 20
    return table


@pytest.fixture
def watchable() -> None:
    """Skip the test where the kernel does not report calls."""
    try:
        with Watch() as watch:
            watch.start(lambda: None)
    except EgressUnwatched as error:
        pytest.skip(str(error))


@pytest.mark.usefixtures("watchable")
@pytest.mark.parametrize("own", ["", "shareEngine = true\n"], ids=["defaults", "shares an engine"])
def test_the_server_tries_nothing(
    settings: Settings, own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A suggestion, the index and an action are done, and the list of connections is empty."""
    (tmp_path / "own.toml").write_text(own)
    monkeypatch.setenv("MIDFILL_CONFIG", str(tmp_path / "own.toml"))
    checks = egress.examine(settings)
    assert [check.name for check in checks] == ["watched", "suggestion", "index", "action", "connections"]
    assert all(check.ok for check in checks)
    assert checks[-1] == Check("connections", True, "none")


@pytest.mark.usefixtures("watchable")
def test_a_deliberate_connection_is_listed(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that connects, with no variable that would keep it quiet, is found out, and serves on."""
    monkeypatch.setenv("CI", "1")
    program = tmp_path / "connecting.py"
    program.write_text(CONNECTING)
    checks = egress.examine(settings, [sys.executable, str(program)])
    assert [check.detail.partition(", by ")[0] for check in checks if not check.ok] == [
        "socket: a socket for IPv4, stream",
        "connect: 192.0.2.1 port 443",
    ]
    assert [check.name for check in checks if check.ok] == ["watched", "suggestion", "index", "action"]


@pytest.mark.usefixtures("watchable")
def test_the_server_of_a_setting_is_reached_and_nothing_else(settings: Settings) -> None:
    """It is listed with its address, and the suggestion comes from there."""
    pytest.importorskip("httpx", reason="the extra 'remote' is not installed")
    with serving(ModelServer(liking("left"), context=8192)) as served:
        checks = egress.examine(replace(settings, engine=served.url))
    assert all(check.ok for check in checks)
    assert {check.name for check in checks if check.name.startswith(("conn", "look"))} == {"connection"}
    port = served.url.rpartition(":")[2]
    assert checks[-1].detail.startswith(f"connect: 127.0.0.1 port {port}, by ")
    assert any(path == "/v1/completions" for path, _ in served.requests)


@pytest.mark.usefixtures("watchable")
def test_what_a_server_tried_before_it_ended_is_listed(settings: Settings) -> None:
    """Nothing is proven about the rest, but this is known."""
    dying = "import socket; socket.socket(socket.AF_INET6)"
    checks = egress.examine(settings, [sys.executable, "-c", dying])
    assert [check.name for check in checks] == ["egress", "connection"]
    assert checks[1].detail.startswith("socket: a socket for IPv6, stream, by ")


@pytest.mark.usefixtures("watchable")
def test_a_server_that_does_nothing_proves_nothing(settings: Settings) -> None:
    """One that ends at once is a fault, not an empty list."""
    assert [(check.name, check.ok) for check in egress.examine(settings, [sys.executable, "-c", ""])] == [
        ("egress", False)
    ]


def test_a_machine_that_cannot_watch_proves_nothing(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The report says what is missing, and the exit code is that of a fault."""
    monkeypatch.setattr(sys, "platform", "freebsd14")
    ran = run("doctor", "--egress", "--bundle", tmp_path, "--json")
    found = json.loads(ran.out)
    assert (ran.code, found["ok"], len(found["checks"])) == (1, False, 1)
    assert found["checks"][0]["detail"].startswith("nothing is proven: Connections cannot be watched on ")


def test_it_starts_the_server_that_editors_start() -> None:
    """Nothing else is proven about."""
    assert egress.examine.__defaults__ == (SERVE,)
