"""Messages that no decent client sends, each made of a decent one by a seed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from typing import Any

from fuzz.values import mutated
from midfill.client.framing import framed

Json = dict[str, Any]

URI = "file:///work/fuzzed.py"
CODE = (
    "import os\n\n\ndef add(left, right):\n    return left + right\n\n\nclass Shop:\n    def total(self):\n        pass"
)
_PLACE = {"line": 4, "character": 11}
_RANGE = {"start": {"line": 3, "character": 0}, "end": {"line": 5, "character": 0}}
_DOCUMENT = {"uri": URI}
_NOTEBOOK = "file:///work/fuzzed.ipynb"
_CELL = "vscode-notebook-cell:/work/fuzzed.ipynb#1"

REQUESTS: tuple[tuple[str, Any], ...] = (
    (
        "textDocument/inlineCompletion",
        {"textDocument": _DOCUMENT, "position": _PLACE, "context": {"triggerKind": 2}},
    ),
    (
        "textDocument/inlineCompletion",
        {
            "textDocument": _DOCUMENT,
            "position": _PLACE,
            "context": {"triggerKind": 1, "selectedCompletionInfo": {"range": _RANGE, "text": "left"}},
        },
    ),
    ("textDocument/completion", {"textDocument": _DOCUMENT, "position": _PLACE, "context": {"triggerKind": 1}}),
    ("textDocument/hover", {"textDocument": _DOCUMENT, "position": _PLACE}),
    (
        "textDocument/codeAction",
        {
            "textDocument": _DOCUMENT,
            "range": _RANGE,
            "context": {"diagnostics": [{"range": _RANGE, "message": "name 'x' is not defined", "severity": 1}]},
        },
    ),
    (
        "codeAction/resolve",
        {"title": "Fix", "kind": "quickfix", "data": {"action": "fix", "uri": URI, "range": _RANGE}},
    ),
    ("workspace/executeCommand", {"command": "midfill.why", "arguments": [3]}),
    ("workspace/executeCommand", {"command": "midfill.statistics", "arguments": []}),
    ("workspace/executeCommand", {"command": "midfill.accepted", "arguments": [1, 4]}),
    (
        "workspace/executeCommand",
        {"command": "midfill.ask", "arguments": [{"uri": URI, "range": _RANGE, "text": "What is it?"}]},
    ),
    (
        "workspace/executeCommand",
        {"command": "midfill.do", "arguments": [{"action": "explain", "uri": URI, "range": _RANGE, "version": 1}]},
    ),
    ("workspace/textDocumentContent", {"uri": "midfill:/answer-1.md"}),
)
NOTIFICATIONS: tuple[tuple[str, Any], ...] = (
    (
        "textDocument/didOpen",
        {"textDocument": {"uri": URI, "languageId": "python", "version": 1, "text": CODE}},
    ),
    (
        "textDocument/didChange",
        {
            "textDocument": {"uri": URI, "version": 2},
            "contentChanges": [{"range": {"start": _PLACE, "end": _PLACE}, "text": "x"}, {"text": CODE}],
        },
    ),
    ("textDocument/didSave", {"textDocument": _DOCUMENT}),
    ("textDocument/didClose", {"textDocument": _DOCUMENT}),
    (
        "notebookDocument/didOpen",
        {
            "notebookDocument": {
                "uri": _NOTEBOOK,
                "notebookType": "jupyter-notebook",
                "version": 1,
                "cells": [{"kind": 2, "document": _CELL}],
            },
            "cellTextDocuments": [{"uri": _CELL, "languageId": "python", "version": 1, "text": "import os\n"}],
        },
    ),
    (
        "notebookDocument/didChange",
        {
            "notebookDocument": {"uri": _NOTEBOOK, "version": 2},
            "change": {
                "cells": {
                    "structure": {"array": {"start": 0, "deleteCount": 0, "cells": []}},
                    "textContent": [{"document": {"uri": _CELL, "version": 2}, "changes": [{"text": "x = 1\n"}]}],
                }
            },
        },
    ),
    (
        "notebookDocument/didClose",
        {"notebookDocument": {"uri": _NOTEBOOK}, "cellTextDocuments": [{"uri": _CELL}]},
    ),
    (
        "workspace/didChangeConfiguration",
        {"settings": {"midfill": {"maxLines": 3, "exclude": ["*.pem"], "languages": {"python": {"maxLines": 2}}}}},
    ),
    ("workspace/didChangeWatchedFiles", {"changes": [{"uri": URI, "type": 2}]}),
    ("textDocument/didShowCompletion", {"item": {"insertText": "x", "range": _RANGE}}),
    (
        "textDocument/didPartiallyAcceptCompletion",
        {"item": {"command": {"command": "midfill.accepted", "arguments": [1, 4]}}, "acceptedLength": 2},
    ),
    ("$/cancelRequest", {"id": 1}),
    ("$/setTrace", {"value": "verbose"}),
    ("window/workDoneProgress/cancel", {"token": "midfill-1"}),
)
_MUST_END_IN = ("shutdown", "exit")
"""What ends a server is not sent, by whatever chance."""


@dataclass(frozen=True)
class Case:
    """What is sent for one seed."""

    kind: str
    """How it was made: "value", "envelope", "body" or "header"."""
    data: bytes
    number: int | None = None
    """The id of a request that must be answered; None if there is none, or it cannot be read."""
    opened: tuple[str, ...] = ()
    """The URIs of documents that it may have opened."""


def case_of(seed: int) -> Case:
    """Return the case of a seed."""
    chance = Random(seed)  # noqa: S311 -- repeatable
    number = seed + 1_000_000
    is_request = chance.random() < 0.6
    method, params = chance.choice(REQUESTS if is_request else NOTIFICATIONS)
    message: Json = {"jsonrpc": "2.0", "method": method, "params": params}
    if is_request:
        message["id"] = number
    kind = chance.choices(("value", "envelope", "body", "header"), (12, 3, 3, 2))[0]
    if kind == "value":
        message["params"] = mutated(params, chance)
    elif kind == "envelope":
        message = mutated(message, chance)
    if kind in ("value", "envelope"):
        return _of_message(kind, message, number)
    body = json.dumps(message).encode()
    data = framed(_damaged(body, chance)) if kind == "body" else _with_wrong_header(body, chance)
    return Case(kind, data, None, (URI, _CELL))


def _of_message(kind: str, message: Any, number: int) -> Case:
    must_answer = isinstance(message, dict) and message.get("id") == number and type(message["id"]) is int
    must_answer = must_answer and "method" in message
    method = message.get("method") if isinstance(message, dict) else None
    if method in _MUST_END_IN:
        return Case(kind, b"")
    return Case(kind, framed(json.dumps(message).encode()), number if must_answer else None, tuple(_uris(message)))


def _uris(value: Any, depth: int = 0) -> set[str]:
    if depth > 12 or not isinstance(value, (dict, list)):
        return set()
    found = {value["uri"]} if isinstance(value, dict) and isinstance(value.get("uri"), str) else set()
    inner = value.values() if isinstance(value, dict) else value[:50]
    return found.union(*(_uris(each, depth + 1) for each in inner))


def _damaged(body: bytes, chance: Random) -> bytes:
    """Flip, cut out, double or add some bytes."""
    data = bytearray(body)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        what = chance.randrange(4)
        if what == 0 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif what == 1:
            del data[at : at + chance.randint(1, 20)]
        elif what == 2:
            data[at:at] = data[at : at + chance.randint(1, 20)]
        else:
            data[at:at] = chance.randbytes(chance.randint(1, 8))
    return bytes(data) or b"{}"


def _with_wrong_header(body: bytes, chance: Random) -> bytes:
    length = len(body)
    headers = (
        b"content-length: %d\r\n\r\n" % length,
        b"Content-Length:%d\r\n\r\n" % length,
        b"Content-Length: %d\n\n" % length,
        b"Content-Length: %d\r\n\r\n" % (length + chance.randint(1, 300)),
        b"Content-Length: %d\r\n\r\n" % max(length - chance.randint(1, 300), 0),
        b"Content-Length: -1\r\n\r\n",
        b"Content-Length: 9%s\r\n\r\n" % (b"9" * 30),
        b"Content-Length: many\r\n\r\n",
        b"Content-Type: application/json\r\n\r\n",
        b"Content-Length: %d\r\nContent-Length: 3\r\n\r\n" % length,
        b"xContent-Length: %d\r\n\r\n" % length,
        b"GET / HTTP/1.1\r\nHost: here\r\n\r\n",
        chance.randbytes(20) + b"\r\n\r\n",
        b"\r\n\r\n\r\n",
        b"",
    )
    return chance.choice(headers) + body
