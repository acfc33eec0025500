"""Privacy as tests: nothing that could reach the network is loaded, nothing tries to, and no log holds a document."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.raw_client import MIDFILL, SCRIPTED, URI, RawClient, ghost_text_at
from midfill.egress.environment import talkative
from own_files import another_cache

SENTINEL = "sentinel_7f3a"
DOCUMENT = f"def add_{SENTINEL}(a, b):\n    return a + b\n\n\nprint(add_\n"
AUDIT = Path(__file__).parent / "audit"

FORBIDDEN = {
    *("torch", "transformers", "optimum", "huggingface_hub", "midfill_export"),
    *("http.client", "urllib.request", "requests", "httpx", "aiohttp", "websockets", "ftplib", "smtplib"),
}


@pytest.fixture
def isolated() -> list[str]:
    """Return the command that runs a program without any network; skip the test where the kernel forbids it."""
    command = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    if not runs([*command, "true"]):
        pytest.skip("the kernel forbids network namespaces here")
    return command


@pytest.fixture
def traced(tmp_path: Path) -> list[str]:
    """Return the command that writes a program's network calls into the file ``trace``; skip the test without it."""
    command = ["strace", "--follow-forks", "--seccomp-bpf", "--trace=%network", f"--output={tmp_path / 'trace'}"]
    if not runs([*command, "true"]):
        pytest.skip("strace is not here or may not trace; test_python_opens_no_network_socket covers the Python side")
    return command


def runs(command: list[str]) -> bool:
    """Say whether a program is there and succeeds."""
    return (
        shutil.which(command[0]) is not None
        and not subprocess.run(command, capture_output=True, check=False).returncode
    )


def environment(runtime: Path, **more: str) -> dict[str, str]:
    """Return the environment without what keeps libraries quiet. The server starts an engine process of its own."""
    return talkative(MIDFILL_CACHE=another_cache(runtime / "cache"), XDG_RUNTIME_DIR=str(runtime), **more)


def check_whole_session(client: RawClient, shares_in: Path | None = None) -> None:
    """Go through a whole session that yields a suggestion and an answer, to its end.

    With a folder, the server shares an engine, and the index of that folder.
    """
    client.initialize(
        options={"deadlineMs": 0, "maxTokens": 8, "unloadMinutes": 0, "shareEngine": shares_in is not None},
        folder=shares_in,
    )
    client.wait_until_loaded()
    client.open(DOCUMENT)
    answer = client.request(1, "textDocument/inlineCompletion", ghost_text_at(4, 10))
    assert answer["result"]["items"], "there must be a suggestion for this to show anything"
    place = {"start": {"line": 0, "character": 0}, "end": {"line": 2, "character": 0}}
    asked = {"text": f"Is {SENTINEL} in the function's name? One word.", "uri": URI, "range": place}
    said = client.request(3, "workspace/executeCommand", {"command": "midfill.ask", "arguments": [asked]})
    assert said["result"]["text"]
    client.request(2, "shutdown", None)
    client.notify("exit", None)
    assert client.wait() == 0


def test_server_loads_nothing_that_could_download() -> None:
    """`import midfill.lsp.app` brings in no training library and no HTTP client."""
    program = "import json, sys, midfill.lsp.app; print(json.dumps(sorted(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
    assert FORBIDDEN.isdisjoint(json.loads(loaded))


def test_failing_handler_leaks_nothing(tmp_path: Path) -> None:
    """A handler that fails on the document's text leaves no trace of it in the log at DEBUG, nor in its answer."""
    with RawClient([*SCRIPTED, "crash", "DEBUG"], tmp_path / "stderr") as client:
        client.initialize()
        client.open(DOCUMENT)
        change = {"textDocument": {"uri": URI, "version": 1}, "contentChanges": [{"text": DOCUMENT}]}
        client.notify("textDocument/didChange", change)
        ghost_text = client.request(1, "textDocument/inlineCompletion", ghost_text_at(4, 10))
        popup = client.request(
            2, "textDocument/completion", {"textDocument": {"uri": URI}, "position": {"line": 4, "character": 10}}
        )
        client.request(3, "workspace/executeCommand", {"command": SENTINEL, "arguments": [DOCUMENT]})
        client.request(4, "shutdown", None)
        log = client.stderr()
        seen = json.dumps([ghost_text, popup, *client.notifications])
    assert ghost_text["error"]["code"] == popup["error"]["code"] == -32603
    assert log.count("ERROR midfill.lsp.server: Midfill failed: JsonRpcInternalError") == 2
    assert "caused by ValueError at scripted_server.py" in log
    assert SENTINEL not in log + seen


@pytest.mark.bundle
def test_real_completion_leaks_nothing(bundle: Path, tmp_path: Path) -> None:
    """At DEBUG, with every message of the session logged, the log holds neither the document nor the suggestion."""
    with RawClient([*MIDFILL, "--log-level", "DEBUG"], tmp_path / "stderr") as client:
        check_whole_session(client)
        log = client.stderr()
    assert "pygls.protocol.json_rpc" in log
    assert SENTINEL not in log


@pytest.mark.bundle
def test_works_without_any_network(bundle: Path, tmp_path: Path, short_path: Path, isolated: list[str]) -> None:
    """In a network namespace that has not even loopback, a session runs from start to end."""
    with RawClient([*isolated, *MIDFILL], tmp_path / "stderr", environment(short_path)) as client:
        check_whole_session(client, short_path)


@pytest.mark.bundle
def test_python_opens_no_network_socket(bundle: Path, tmp_path: Path, short_path: Path) -> None:
    """No Python code of the server or of its engine process asks for the network, by Python's own audit events.

    All sockets are Unix sockets: those between the two processes, and the pair with which asyncio wakes itself up.
    """
    record = tmp_path / "audit"
    path = os.pathsep.join(filter(None, [str(AUDIT), os.environ.get("PYTHONPATH")]))
    audited = environment(short_path, PYTHONPATH=path, MIDFILL_AUDIT=str(record))
    with RawClient(MIDFILL, tmp_path / "stderr", audited) as client:
        check_whole_session(client, short_path)
    unix = {f"socket.{event} {int(socket.AF_UNIX)}" for event in ("__new__", "bind", "connect")}
    assert set(record.read_text().splitlines()) == unix


@pytest.mark.bundle
def test_no_system_call_reaches_out(bundle: Path, tmp_path: Path, short_path: Path, traced: list[str]) -> None:
    """Nor does native code: under strace, all sockets of both processes are Unix sockets, at one private address."""
    with RawClient([*traced, *MIDFILL], tmp_path / "stderr", environment(short_path)) as client:
        check_whole_session(client, short_path)
    trace = (tmp_path / "trace").read_text()
    made = re.findall(r"^\d+ +socket(?:pair)?\((\w+)", trace, re.MULTILINE)
    addresses = re.findall(r"sa_family=(\w+)", trace)
    assert set(made) == set(addresses) == {"AF_UNIX"}
    assert {Path(path).parent for path in re.findall(r'sun_path="([^"]+)"', trace)} == {short_path / "midfill"}
