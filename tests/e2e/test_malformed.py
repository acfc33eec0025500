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
    "negative length": b"Content-Length: -2\r\n\r\n{}",
    "length of a gigabyte": b"Content-Length: 1073741824\r\n\r\n{}",
    "length of a quarter of it": b"Content-Length: 268435456\r\n\r\n" + SMALL,
    "stray byte": b"\0",
    "text before the header": SENTINEL.encode(),
    "half a header": b"Content-Len",
    "cut message": framed(SMALL)[:-9],
    "empty message": framed(b""),
    "odd but valid header": b"content-length:%d\n\n%s" % (len(SMALL), SMALL),
    "header without an empty line": b"Content-Length: %d\r\n%s" % (len(SMALL), SMALL),
    "number with too many digits": framed(b"[%s]" % (b"9" * 5_000)),
    "deeply nested params": framed(
        b'{"jsonrpc": "2.0", "id": 93, "method": "x", "params": %s1%s}' % (b"[" * 900, b"]" * 900)
    ),
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
    "token of the wrong type": (
        "workspace/executeCommand",
        {"command": "midfill.ask", "arguments": [{"text": "why"}], "workDoneToken": [1]},
        -32602,
    ),
    "unknown command": ("workspace/executeCommand", {"command": "midfill.nothing"}, -32602),
}

VALID = {"jsonrpc": "2.0", "id": 81, "method": "midfill/nothing", "params": {}}
ANSWERED: dict[str, tuple[bytes, Any, int]] = {
    "cut JSON": (framed(b'{"jsonrpc": "2.0", "id": 81, "method": '), None, -32700),
    "body that is not UTF-8": (framed(b'{"jsonrpc": "2.0", "id": 81, "method": "\xff"}'), None, -32700),
    "body without a header": (b"\0" + json.dumps(VALID).encode() + b"\r\n", None, -32700),
    "no version": (encoded(id=81, method="shutdown"), 81, -32600),
    "another version": (encoded(jsonrpc="1.0", id="a", method="shutdown"), "a", -32600),
    "version is a number": (encoded(jsonrpc=2.0, id=81, method="shutdown"), 81, -32600),
    "id is null": (encoded(**{**VALID, "id": None}), None, -32600),
    "id is a fraction": (encoded(**{**VALID, "id": 1.5}), 1.5, -32600),
    "id is true": (encoded(**{**VALID, "id": True}), None, -32600),
    "id is a list": (encoded(**{**VALID, "id": [1]}), None, -32600),
    "id is no number": (framed(json.dumps({**VALID, "id": float("nan")}).encode()), None, -32600),
    "id is large": (encoded(**{**VALID, "id": 1 << 70}), 1 << 70, -32601),
    "id is half a character": (encoded(**{**VALID, "id": "\ud800"}), "\ud800", -32601),
    "method is a number": (encoded(jsonrpc="2.0", id=81, method=5), 81, -32600),
    "neither method nor result": (encoded(jsonrpc="2.0", id=81), 81, -32600),
    "no object": (framed(b'"text"'), None, -32600),
    "empty object": (framed(b"{}"), None, -32600),
    "empty batch": (framed(b"[]"), None, -32600),
    "batch": (framed(json.dumps([VALID, {**VALID, "id": None}]).encode()), 81, -32600),
    "no params": (encoded(jsonrpc="2.0", id=81, method="midfill/nothing"), 81, -32601),
    "params are a number": (encoded(**{**VALID, "params": 3}), 81, -32601),
    "params nested too deeply": (
        framed(b'{"jsonrpc": "2.0", "id": 81, "method": "x", "params": %s%s}' % (b"[" * 100_000, b"]" * 100_000)),
        None,
        -32700,
    ),
    "unknown method with 'jsonrpc' within": (encoded(**{**VALID, "params": {"jsonrpc": "2.0", "id": 5}}), 81, -32601),
}
"""What is answered with an error: the bytes, the answer's id and its code."""


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


@pytest.mark.parametrize(("sent", "number", "code"), ANSWERED.values(), ids=ANSWERED.keys())
def test_error_is_answered(client: RawClient, sent: bytes, number: Any, code: int) -> None:
    """What cannot be read as a message gets the error of JSON-RPC that says why, with its id if it has one."""
    client.strays.clear()
    client.send_bytes(sent)
    client.request(3, "textDocument/inlineCompletion", ghost_text_at(0, 0))
    assert (number, code) in [(answer["id"], answer["error"]["code"]) for answer in client.strays]


@pytest.mark.parametrize(
    ("method", "params", "member"),
    [
        ("textDocument/didSave", {"textDocument": {"uri": URI}}, "result"),
        ("textDocument/didShowCompletion", {"item": {}}, "result"),
        ("$/cancelRequest", {"id": 12345}, "result"),
        ("$/cancelRequest", {"id": []}, "error"),
        ("$/setTrace", {"value": "loud"}, "error"),
    ],
)
def test_notification_with_an_id(client: RawClient, method: str, params: Any, member: str) -> None:
    """It is served, and answered as the request that it looks like."""
    assert client.request(5, method, params).keys() == {"jsonrpc", "id", member}


def test_jsonrpc_within_params(client: RawClient) -> None:
    """An object within the params may have the key that every message has."""
    params = {**ghost_text_at(0, 0), "workDoneToken": 5, "extra": {"jsonrpc": "2.0", "id": 1, "method": "exit"}}
    answer = client.request(4, "textDocument/inlineCompletion", params)
    assert [item["insertText"] for item in answer["result"]["items"]] == ["ok"]


def test_each_fault_is_one_line(tmp_path: Path) -> None:
    """At the usual log level an unreadable message costs one line, and pygls adds none."""
    with RawClient([*SCRIPTED, "echo", "WARNING"], tmp_path / "stderr") as client:
        client.initialize()
        client.send_bytes(NOISE["broken JSON"])
        client.request(3, "textDocument/inlineCompletion", {"position": SENTINEL})
        client.request(4, "shutdown", None)
        lines = client.stderr().splitlines()
    assert len(lines) == 2
    assert [answer["error"]["code"] for answer in client.strays] == [-32700]
    assert "WARNING midfill.lsp.server" in lines[0]
    assert "JSONDecodeError" in lines[0]
    assert "JsonRpcInvalidParams" in lines[1]
