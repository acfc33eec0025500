"""The client's side of the protocol: the server answers, notifies, requests, and ends."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from midfill.client.server_process import ServerProcess, result_of
from midfill.common.errors import ServerEnded

PATIENCE = 60.0
SERVER = """
import json, sys

def read():
    length = int(sys.stdin.buffer.readline().split(b":")[1])
    sys.stdin.buffer.readline()
    return json.loads(sys.stdin.buffer.read(length))

def send(**message):
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    sys.stdout.buffer.write(b"Content-Type: x\\r\\ncontent-length: %d\\r\\n\\r\\n%s" % (len(body), body))
    sys.stdout.buffer.flush()

while True:
    message = read()
    method = message.get("method")
    if method == "echo":
        send(id=message["id"], result=message["params"])
    elif method == "refuse":
        send(id=message["id"], error={"code": -1, "message": "no"})
    elif method == "ask back":
        send(id="mine", method="what is it", params=[1])
        send(method="told", params={"heard": read()["result"]})
    elif method in ("$/cancelRequest", "exit"):
        send(method="told", params=message["params"])
        if method == "exit":
            break
    elif method == "crash":
        sys.exit("so it ends")
    elif method == "shutdown":
        send(id=message["id"], result=None)
"""

Start = Callable[..., ServerProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Return what starts a server."""
    with ExitStack() as running:

        def start(**options: Any) -> ServerProcess:
            log = (tmp_path / "log").open("a+b")
            return running.enter_context(ServerProcess([sys.executable, "-c", SERVER], log, **options))

        yield start


def told(notification: dict[str, Any]) -> bool:
    """Whether it is the notification that the server sends."""
    return bool(notification["method"] == "told")


def test_answers_come_to_their_requests(start: Start) -> None:
    """Each answer finds its request, by its id; an error has no result."""
    server = start()
    first, second = server.request("echo", {"text": "größe"}), server.request("echo", [2], "own number")
    assert second.result(PATIENCE) == {"jsonrpc": "2.0", "id": "own number", "result": [2]}
    assert result_of(first, PATIENCE) == {"text": "größe"}
    refused = server.request("refuse", None)
    assert result_of(refused, PATIENCE) is None
    assert refused.result()["error"]["message"] == "no"


def test_requests_of_the_servers_are_answered(start: Start) -> None:
    """The answer is that of the client's callback, or null."""
    server = start(answer=lambda method, params: f"{method}: {params}")
    server.notify("ask back", {})
    assert server.wait_for_notification(told, PATIENCE)["params"] == {"heard": "what is it: [1]"}
    other = start()
    other.notify("ask back", {})
    assert other.wait_for_notification(told, PATIENCE)["params"] == {"heard": None}


def test_request_is_taken_back(start: Start) -> None:
    """The cancel has the request's id; an answered request is not cancelled."""
    server = start()
    answered = server.request("echo", 1)
    answered.result(PATIENCE)
    server.cancel(answered)
    waiting = server.request("never answered", None, 7)
    server.cancel(waiting)
    assert server.wait_for_notification(told, PATIENCE)["params"] == {"id": 7}


def test_nothing_comes(start: Start) -> None:
    """A wait that is too long ends with an error."""
    server = start()
    with pytest.raises(TimeoutError):
        server.wait_for_notification(told, 0.01)
    with pytest.raises(TimeoutError):
        result_of(server.request("never answered", None), 0.01)


def test_server_that_ends(start: Start) -> None:
    """Waiting and later calls fail, with the last line that the server logged."""
    server = start()
    waiting = server.request("never answered", None)
    server.notify("crash", None)
    with pytest.raises(ServerEnded, match="the language server ended early: so it ends"):
        waiting.result(PATIENCE)
    with pytest.raises(ServerEnded):
        server.wait_for_notification(told, PATIENCE)
    server.process.wait(PATIENCE)
    with pytest.raises(ServerEnded):
        server.notify("echo", None)


def test_it_leaves_in_good_order(tmp_path: Path) -> None:
    """It gets `shutdown`, then `exit`, and is not killed if it ends by itself."""
    with ServerProcess([sys.executable, "-c", SERVER], (tmp_path / "log").open("a+b")) as server:
        pass
    assert server.process.returncode == 0
    assert [each["params"] for each in server.notifications] == [None]
