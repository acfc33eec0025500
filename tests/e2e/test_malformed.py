"""Messages no decent client sends: the server says so in a line of its log, and serves the next request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.raw_client import SCRIPTED, URI, RawClient, framed, ghost_text_at

SENTINEL = "sentinel_7f3a"


def encoded(**message: Any) -> bytes:
    """Frame a message without asking whether it makes sense."""
    return framed(json.dumps(message).encode())


def notification(method: str, params: Any) -> bytes:
    """Frame a notification."""
    return encoded(jsonrpc="2.0", method=method, params=params)


def change(uri: str, changes: Any) -> bytes:
    """Frame a change of a document."""
    return notification(
        "textDocument/didChange", {"textDocument": {"uri": uri, "version": 2}, "contentChanges": changes}
    )


FAR = {"start": {"line": 900, "character": 900}, "end": {"line": 901, "character": 0}}
BACKWARD = {"start": {"line": 0, "character": 5}, "end": {"line": 0, "character": 0}}
NEGATIVE = {"start": {"line": -1, "character": 0}, "end": {"line": 0, "character": 0}}

SMALL = b'{"jsonrpc": "2.0", "method": "x"}'

ODD_URIS = (
    "", "file:", "file:///a%00b", "file:///a\0b", "file:///%zz%", "file:///%ff", "file:///../../..", "file://[x/y",
    "file:///\ud800", "file:///" + "a/" * 50_000, "file:///" + "a" * 300, "untitled:\udfff", "C:\\a.py", "//x/y",
)  # fmt: skip


def opened_and_changed_on_disk(uri: str) -> bytes:
    """Frame the messages of a whole life of a document."""
    document = {"uri": uri, "languageId": "python", "version": 1, "text": SENTINEL}
    return b"".join(
        [
            notification("textDocument/didOpen", {"textDocument": document}),
            change(uri, [{"text": SENTINEL}]),
            notification("textDocument/didSave", {"textDocument": {"uri": uri}}),
            notification("workspace/didChangeWatchedFiles", {"changes": [{"uri": uri, "type": 3}]}),
            notification("textDocument/didClose", {"textDocument": {"uri": uri}}),
        ]
    )


NOISE = {
    "broken JSON": framed(b'{"jsonrpc": "2.0", "method": '),
    "not UTF-8": framed(b'{"jsonrpc": "2.0", "method": "\xff\xfe"}'),
    "a number": framed(b"42"),
    "a list": framed(b"[]"),
    "null": framed(b"null"),
    "an empty object": framed(b"{}"),
    "deeply nested": framed(b"[" * 100_000),
    "no version": encoded(method="textDocument/didOpen", params={}),
    "wrong version": encoded(jsonrpc="1.0", method="initialized", params={}),
    "no method": encoded(jsonrpc="2.0", params={"text": SENTINEL}),
    "method is a list": encoded(jsonrpc="2.0", id=90, method=[SENTINEL], params={}),
    "id is an object": encoded(jsonrpc="2.0", id={"a": SENTINEL}, method="textDocument/completion", params=3),
    "length too short": b"Content-Length: 10\r\n\r\n%s\r\n" % SMALL,
    "length that takes in the next message": b"Content-Length: %d\r\n\r\n%s"
    % (2 * len(framed(SMALL)), framed(SMALL) * 2),
    "length beyond memory": b"Content-Length: 99999999999999999999\r\n\r\n{}\r\n",
    "length that is none": b"Content-Length: many\r\n\r\n{}\r\n",
    "no header": b"GET / HTTP/1.1\r\nHost: here\r\n\r\n",
    "params missing": encoded(jsonrpc="2.0", method="textDocument/didOpen"),
    "params of another type": notification("textDocument/didOpen", SENTINEL),
    "text is a number": notification(
        "textDocument/didOpen", {"textDocument": {"uri": "file:///b", "languageId": "c", "version": 1, "text": 3}}
    ),
    "unknown notification": notification("midfill/nothing", {"text": SENTINEL}),
    "unknown optional notification": notification("$/nothing", {"text": SENTINEL}),
    "answer to nothing": encoded(jsonrpc="2.0", id="nobody asked", result={"text": SENTINEL}),
    "error from nowhere": encoded(jsonrpc="2.0", id=91, error={"code": 1, "message": SENTINEL}),
    "cancel of nothing": notification("$/cancelRequest", {"id": 12345}),
    "change of an unknown document": change("file:///nowhere.py", [{"text": SENTINEL}]),
    "close of an unknown document": notification("textDocument/didClose", {"textDocument": {"uri": "file:///nowhere"}}),
    "save of an unknown document": notification("textDocument/didSave", {"textDocument": {"uri": "file:///nowhere"}}),
    "change without a text": change(URI, [{"range": FAR}]),
    "change at a negative line": change(URI, [{"range": NEGATIVE, "text": SENTINEL}]),
    "changes that are no list": change(URI, 7),
    "change out of range": change(URI, [{"range": FAR, "text": "#"}]),
    "backward change": change(URI, [{"range": BACKWARD, "text": "#"}]),
    **{f"documents at {uri[:30]!r}": opened_and_changed_on_disk(uri) for uri in ODD_URIS},
}

REFUSED = {
    "unknown method": ("midfill/nothing", {}, -32601),
    "params missing": ("textDocument/inlineCompletion", None, -32602),
    "no position": ("textDocument/inlineCompletion", {"textDocument": {"uri": URI}}, -32602),
    "position of the wrong type": (
        "textDocument/inlineCompletion",
        {**ghost_text_at(0, 0), "position": {"line": "first", "character": 0}},
        -32602,
    ),
    "unknown command": ("workspace/executeCommand", {"command": "midfill.nothing"}, -32602),
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawClient]:
    """One server for all of it: whatever one message breaks would show in those that follow."""
    stderr = tmp_path_factory.mktemp("malformed") / "stderr"
    with RawClient([*SCRIPTED, "echo", "DEBUG"], stderr) as client:
        client.initialize()
        client.open("x = 1\n")
        yield client


@pytest.mark.parametrize("noise", NOISE.values(), ids=NOISE.keys())
def test_server_survives(client: RawClient, noise: bytes) -> None:
    """The request after the noise is answered as ever, the user is not bothered, and no text is logged."""
    client.send_bytes(noise)
    answer = client.request(1, "textDocument/inlineCompletion", ghost_text_at(0, 0))
    assert [item["insertText"] for item in answer["result"]["items"]] == ["ok"]
    assert client.process.poll() is None
    assert not [message for message in client.notifications if message["method"] == "window/showMessage"]
    assert SENTINEL not in client.stderr()


@pytest.mark.parametrize(("method", "params", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_request_is_refused(client: RawClient, method: str, params: Any, code: int) -> None:
    """A request that cannot be served is answered with the error that says why."""
    assert client.request(2, method, params)["error"]["code"] == code


def test_each_fault_is_one_line(tmp_path: Path) -> None:
    """At the usual log level an unreadable message costs one line, and pygls adds none."""
    with RawClient([*SCRIPTED, "echo", "WARNING"], tmp_path / "stderr") as client:
        client.initialize()
        client.send_bytes(NOISE["broken JSON"])
        client.request(3, "textDocument/inlineCompletion", {"position": SENTINEL})
        client.request(4, "shutdown", None)
        lines = client.stderr().splitlines()
    assert len(lines) == 2
    assert "WARNING midfill.lsp.server" in lines[0]
    assert "JSONDecodeError" in lines[0]
    assert "JsonRpcInvalidParams" in lines[1]
